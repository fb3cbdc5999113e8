#include <cinttypes>

#include "graph/geometry.h"
#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

// Element types of input and filter; returns the output's.
DataType conv_dtype(const InferContext& context) {
  const Node& node = context.node();
  const DataType maps = dtype_of(node.precision);
  context.expect_dtype(context.input("Input"), "input", maps);
  context.expect_dtype(context.input("Filter"), "filter", maps == DataType::i8 ? maps : DataType::f32);
  return node.alias == "int8_out" || maps == DataType::f16 ? maps : DataType::f32;
}

void check_bias(const InferContext& context, int64_t channels) {
  const Inferred* bias = context.find("Bias");
  if (bias == nullptr) return;
  context.expect_dtype(*bias, "bias", DataType::f32);
  if (bias->shape.count() != channels) context.reject("bias has %" PRId64 " elements, expected %" PRId64, bias->shape.count(), channels);
}

// Of fuse_gate.h.
void check_gate(const InferContext& context, const Inferred& input) {
  const Inferred* gate = context.find("Gate");
  if (gate == nullptr) return;
  context.expect_dtype(*gate, "gate", input.dtype);
  const Shape expected{input.shape[0], input.shape[1], 1, 1};
  if (!(gate->shape == expected)) context.reject("gate is %s, expected %s", gate->shape.str().c_str(), expected.str().c_str());
}

int64_t check_groups(const InferContext& context, int64_t input_channels, int64_t filters, const char* filters_name) {
  int64_t groups = context.node().attr_int("groups", 1);
  if (groups < 1 || input_channels % groups != 0 || filters % groups != 0)
    context.reject("groups is %" PRId64 ", expected a divisor of %" PRId64 " input channels and %" PRId64 " %s", groups, input_channels,
                   filters, filters_name);
  return groups;
}

}  // namespace

void infer_conv(InferContext& context) {
  const Inferred &input = context.input("Input"), &filter = context.input("Filter");
  context.expect_rank(input, "input", 4);
  context.expect_rank(filter, "filter", 4);
  DataType dtype = conv_dtype(context);
  int64_t channels = input.shape[1], filters = filter.shape[0];
  int64_t groups = check_groups(context, channels, filters, "filters");
  if (filter.shape[1] * groups != channels)
    context.reject("input has %" PRId64 " channels, filter expects %" PRId64, channels, filter.shape[1] * groups);
  check_bias(context, filters);
  check_gate(context, input);
  Window window = conv_window(context.node(), input.shape, filter.shape);
  context.set_output(dtype,
                     {input.shape[0], filters, convolved_size(window, 0, input.shape[2]), convolved_size(window, 1, input.shape[3])});
}

void infer_conv_transpose(InferContext& context) {
  const Inferred &input = context.input("Input"), &filter = context.input("Filter");
  context.expect_rank(input, "input", 4);
  context.expect_rank(filter, "filter", 4);
  DataType dtype = conv_dtype(context);
  if (filter.shape[0] != input.shape[1])
    context.reject("input has %" PRId64 " channels, filter expects %" PRId64, input.shape[1], filter.shape[0]);
  int64_t groups = check_groups(context, input.shape[1], filter.shape[0], "filter channels");
  int64_t filters = filter.shape[1] * groups;
  check_bias(context, filters);
  Window window = conv_window(context.node(), input.shape, filter.shape);
  auto [height, width] = transposed_size(context.node(), window, input.shape);
  context.set_output(dtype, {input.shape[0], filters, height, width});
}

}  // namespace edgeocr::graph
