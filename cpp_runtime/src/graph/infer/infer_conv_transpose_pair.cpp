#include <cinttypes>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

// Checks one of the two; its output channels.
int64_t filters_of(const InferContext& context, int index, int64_t channels) {
  const Inferred& filter = context.input("Filter", index);
  context.expect_dtype(filter, "filter", DataType::f32);
  context.expect_rank(filter, "filter", 4);
  if (filter.shape[0] != channels || filter.shape[2] != 2 || filter.shape[3] != 2)
    context.reject("filter is %s, expected one of 2x2 for %" PRId64 " channels", filter.shape.str().c_str(), channels);
  const int64_t filters = filter.shape[1];
  if (const Inferred* bias = context.find("Bias", index)) {
    context.expect_dtype(*bias, "bias", DataType::f32);
    if (bias->shape.count() != filters) context.reject("bias has %" PRId64 " elements, expected %" PRId64, bias->shape.count(), filters);
  }
  return filters;
}

}  // namespace

// A node that a pass makes: passes/fuse_transposed_head.h.
void infer_conv_transpose_pair(InferContext& context) {
  const Inferred& input = context.input("Input");
  const DataType dtype = dtype_of(context.node().precision);
  context.expect_dtype(input, "input", dtype);
  context.expect_rank(input, "input", 4);
  const int64_t channels = filters_of(context, 1, filters_of(context, 0, input.shape[1]));
  context.set_output(dtype, {input.shape[0], channels, 4 * input.shape[2], 4 * input.shape[3]});
}

}  // namespace edgeocr::graph
