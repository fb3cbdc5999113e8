#include <algorithm>
#include <cinttypes>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"
#include "graph/precision.h"

namespace edgeocr::graph {

void infer_activation(InferContext& context) {
  const Inferred& input = context.input("X");
  context.expect_dtype(input, "input", DataType::f32);
  context.set_output(input.dtype, input.shape);
}

void infer_softmax(InferContext& context) {
  context.axis(context.node().attr_int("axis", -1), context.input("X").shape.rank());
  infer_activation(context);
}

void infer_batch_norm(InferContext& context) {
  const Inferred& input = context.input("X");
  context.expect_dtype(input, "input", DataType::f32);
  if (input.shape.rank() < 2) context.reject("input has shape %s, expected rank 2 or more", input.shape.str().c_str());
  for (const char* parameter : {"Scale", "Bias", "Mean", "Variance"}) {
    const Inferred& values = context.input(parameter);
    context.expect_dtype(values, parameter, DataType::f32);
    if (values.shape.count() != input.shape[1])
      context.reject("%s has %" PRId64 " elements, input has %" PRId64 " channels", parameter, values.shape.count(), input.shape[1]);
  }
  context.set_output(input.dtype, input.shape);
}

void infer_calib(InferContext& context) {
  const Inferred& input = context.input("Input");
  const Node& node = context.node();
  if (widens(node)) {
    context.expect_dtype(input, "input", DataType::f16);
    return context.set_output(DataType::f32, input.shape);
  }
  const bool to_int8 = node.alias == "fp32_to_int8";
  context.expect_dtype(input, "input", to_int8 || narrows(node) ? DataType::f32 : DataType::i8);
  context.set_output(to_int8 ? DataType::i8 : narrows(node) ? DataType::f16 : DataType::f32, input.shape);
}

namespace {

// Brings both shapes to the same rank: axis -1 aligns the last dimensions, another axis places the one of lower rank there.
void align(const InferContext& context, Shape& x, Shape& y) {
  Shape& small = x.rank() < y.rank() ? x : y;
  const Shape& large = x.rank() < y.rank() ? y : x;
  int64_t axis = context.node().attr_int("axis", -1);
  int room = large.rank() - small.rank();
  if (axis == -1 || room == 0) axis = room;
  if (axis < 0 || axis > room)
    context.reject("axis is %" PRId64 " for %s and %s, expected -1 to %d", axis, x.str().c_str(), y.str().c_str(), room);
  Shape aligned = large;
  for (int i = 0; i < large.rank(); i++) {
    int64_t from = i - axis;
    aligned[i] = from >= 0 && from < small.rank() ? small[static_cast<int>(from)] : 1;
  }
  small = aligned;
}

}  // namespace

void infer_elementwise(InferContext& context) {
  const Inferred &a = context.input("X"), &b = context.input("Y");
  const DataType dtype = context.float_dtype();
  context.expect_dtype(a, "X", dtype);
  context.expect_dtype(b, "Y", dtype);
  Shape x = a.shape, y = b.shape;
  align(context, x, y);
  Shape out = x;
  for (int i = 0; i < out.rank(); i++) {
    if (x[i] != y[i] && x[i] != 1 && y[i] != 1)
      context.reject("X is %s and Y is %s, expected equal sizes or 1 in dimension %d", a.shape.str().c_str(), b.shape.str().c_str(), i);
    out[i] = std::max(x[i], y[i]);
  }
  context.set_output(a.dtype, out);
}

}  // namespace edgeocr::graph
