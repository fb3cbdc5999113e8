#include "graph/passes/round_filters.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "graph/passes/rewrite.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

constexpr int kFractionBits = 10, kLeastExponent = -14;  // of fp16

// The nearest value of fp16, ties to even; beyond its range as if that went on.
double to_fp16(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), kLeastExponent) - kFractionBits;
  return std::ldexp(std::nearbyint(std::ldexp(value, -exponent)), exponent);
}

std::shared_ptr<const Constant> rounded(const Constant& filter) {
  const auto given = filter.as<float>();
  std::vector<float> values(given.begin(), given.end());
  const auto window = static_cast<size_t>(filter.shape[2] * filter.shape[3]);
  for (size_t first = 0; first < values.size(); first += window) {
    double error = 0;
    for (float& value : std::span(values).subspan(first, window)) {
      const double wanted = double{value} + error;
      const double kept = to_fp16(wanted);
      error = wanted - kept;
      value = static_cast<float>(kept);
    }
  }
  return make_constant(values, filter.shape);
}

}  // namespace

void round_filters(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (node.precision != kFp16Precision || node.op.starts_with("conv2d_transpose")) continue;  // whose taps are of different outputs
    for (Port& port : node.inputs) {
      const Constant* filter = graph.constant(port.value);
      if (port.parameter != "Filter" || filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4) continue;
      port.value = add_value(graph, graph.value(port.value).name, rounded(*filter));
    }
  }
}

}  // namespace edgeocr::graph
