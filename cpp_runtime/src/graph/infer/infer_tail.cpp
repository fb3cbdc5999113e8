// Outputs of a node with a tail (fused_tail.h), and what its parts must fit.
#include <cinttypes>

#include "graph/fused_tail.h"
#include "graph/infer/infer_context.h"

namespace edgeocr::graph {

namespace {

// Channels of a map, columns of anything else.
int64_t addend_count(const Shape& shape) { return shape.rank() == 4 ? shape[1] : shape[shape.rank() - 1]; }

void check_addend(const InferContext& context, const Constant& addend, const Shape& shape) {
  if (addend.dtype != DataType::f32) context.reject("addend is %s, expected fp32", name_of(addend.dtype));
  if (addend.shape.count() != addend_count(shape))
    context.reject("addend has %" PRId64 " elements, output is %s", addend.shape.count(), shape.str().c_str());
}

void check_residual(const InferContext& context, const Inferred& residual, DataType dtype, int scale, const Shape& shape) {
  context.expect_dtype(residual, "residual", dtype);
  Shape enlarged = residual.shape;
  if (scale != 1 && shape.rank() == 4 && enlarged.rank() == 4) {
    enlarged[2] *= scale;
    enlarged[3] *= scale;
  }
  if (!(enlarged == shape))
    context.reject("residual is %s, enlarged %d times, expected the output's %s", residual.shape.str().c_str(), scale, shape.str().c_str());
}

}  // namespace

void InferContext::set_tail_outputs(DataType dtype, const Shape& shape) {
  const FusedTail& tail = *node_.tail;
  if (dtype != DataType::f32 && dtype != DataType::f16) reject("result is %s, expected fp32 or fp16 before a tail", name_of(dtype));
  if (tail.outputs.size() != node_.outputs.size()) reject("tail has %zu outputs, expected %zu", tail.outputs.size(), node_.outputs.size());
  if (tail.addend != nullptr) check_addend(*this, *tail.addend, shape);
  if (tail.residual >= 0) {
    const Port& port = node_.inputs[static_cast<size_t>(tail.residual)];
    check_residual(*this, values_[static_cast<size_t>(port.value)], dtype, tail.residual_scale, shape);
  }
  for (size_t i = 0; i < tail.outputs.size(); i++)
    if (const ValueId value = node_.outputs[i].value; value != kNoValue)
      values_[static_cast<size_t>(value)] = {tail.outputs[i].dtype, shape, nullptr};
}

}  // namespace edgeocr::graph
