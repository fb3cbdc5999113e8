#include <algorithm>
#include <array>
#include <cinttypes>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

constexpr std::array<int64_t, 5> kFactors{1, 2, 4, 8, 16};

// Checks one source; its size after upsampling, with the filter's output channels.
Shape source_shape(const InferContext& context, int index, int64_t factor, DataType dtype) {
  const Inferred &input = context.input("X", index), &filter = context.input("Filter", index);
  context.expect_dtype(input, "input", dtype);
  context.expect_dtype(filter, "filter", dtype == DataType::i8 ? dtype : DataType::f32);
  context.expect_rank(input, "input", 4);
  context.expect_rank(filter, "filter", 4);
  if (std::ranges::find(kFactors, factor) == kFactors.end()) context.reject("factor is %" PRId64 ", expected 1, 2, 4, 8 or 16", factor);
  if (filter.shape[1] != input.shape[1] || filter.shape[2] != 3 || filter.shape[3] != 3)
    context.reject("filter is %s, expected one of 3x3 for the %" PRId64 " channels of its input", filter.shape.str().c_str(),
                   input.shape[1]);
  return {input.shape[0], filter.shape[0], input.shape[2] * factor, input.shape[3] * factor};
}

}  // namespace

// A node that passes make: passes/over_upsampled.h.
void infer_conv_over_upsampled(InferContext& context) {
  const Node& node = context.node();
  const DataType dtype = dtype_of(node.precision);
  const std::vector<int64_t> factors = node.attr_ints("factors");
  const size_t sources = context.all("X").size();
  if (sources == 0 || factors.size() != sources || context.all("Filter").size() != sources)
    context.reject("%zu inputs, %zu filters and %zu factors, expected equal numbers", sources, context.all("Filter").size(),
                   factors.size());
  const Shape out = source_shape(context, 0, factors[0], dtype);
  for (size_t i = 1; i < sources; i++) {
    const Shape other = source_shape(context, static_cast<int>(i), factors[i], dtype);
    if (!(other == out)) context.reject("sources give %s and %s, expected equal shapes", out.str().c_str(), other.str().c_str());
  }
  if (const Inferred* bias = context.find("Bias")) {
    context.expect_dtype(*bias, "bias", DataType::f32);
    if (bias->shape.count() != out[1]) context.reject("bias has %" PRId64 " elements, expected %" PRId64, bias->shape.count(), out[1]);
  }
  context.set_output(node.alias == "int8_out" || dtype == DataType::f16 ? dtype : DataType::f32, out);
}

}  // namespace edgeocr::graph
