#include "kernels/int8/value_bound.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::int8 {

namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

const graph::Node* producer(graph::ValueId value, const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes)
    if (std::ranges::any_of(node.outputs, [&](const graph::Port& port) { return port.value == value; })) return &node;
  return nullptr;
}

bool makes_fp32_of_int8(const graph::Node& node) {
  const bool convolution = node.op == "conv2d" || node.op == "depthwise_conv2d" || node.op == "conv2d_over_upsampled";
  return convolution && node.precision == graph::kInt8Precision && node.alias != "int8_out";
}

// Of the convolution with its activations, before a residual.
double own_bound(const graph::Node& node, const graph::Graph& graph, const TailParameters& tail) {
  const std::vector<double> sums = sum_bounds(node, graph);
  if (sums.empty()) return kUnbounded;
  const auto channels = static_cast<int64_t>(sums.size());
  const std::vector<float> bias = generic::bias_or_zeros(node, graph, channels), scale = generic::scales(node, "Filter0_scale", channels);
  const double input_scale = generic::single_scale(node, "Input0_scale");
  double bound = 0;
  for (size_t o = 0; o < sums.size(); o++)
    bound = std::max(bound, std::abs(sums[o] * static_cast<double>(scale[o]) * input_scale) + std::abs(static_cast<double>(bias[o])));
  bound = activated_bound(bound, generic::conv_activation(node));
  if (!tail.addend.empty()) return kUnbounded;
  if (!tail.activation) return bound;
  if (tail.activation->op == UnaryOp::hard_sigmoid) return 1;
  if (tail.activation->op != UnaryOp::relu && tail.activation->op != UnaryOp::hard_swish) return kUnbounded;
  return activated_bound(bound, tail.activation->parameters.act);
}

}  // namespace

std::vector<double> sum_bounds(const graph::Node& node, const graph::Graph& graph) {
  std::vector<double> bounds(static_cast<size_t>(generic::constant_input(node, graph, "Filter").shape[0]), 0.0);
  if (bounds.empty()) return bounds;
  for (const graph::ValueId value : node.all_inputs("Filter")) {
    const auto weights = graph.constant(value)->as<int8_t>();
    const size_t per_channel = weights.size() / bounds.size();
    for (size_t o = 0; o < bounds.size(); o++)
      for (const int8_t w : weights.subspan(o * per_channel, per_channel)) bounds[o] += 128 * std::abs(w);
  }
  return bounds;
}

double activated_bound(double bound, const Activation& act) {
  switch (act.kind) {
    case ActKind::none:
    case ActKind::relu: return bound;
    case ActKind::hard_swish: return bound * std::max(1.0, static_cast<double>(act.threshold) * static_cast<double>(act.inverse_scale));
    default: return kUnbounded;
  }
}

double value_bound(graph::ValueId value, const graph::Graph& graph) {
  double bound = 0;
  for (;;) {
    const graph::Node* node = producer(value, graph);
    if (node == nullptr || !makes_fp32_of_int8(*node)) return kUnbounded;
    const TailParameters tail = parse_tail(*node, graph);
    bound += own_bound(*node, graph, tail);
    if (tail.residual < 0) return bound;
    value = node->inputs[static_cast<size_t>(tail.residual)].value;
  }
}

}  // namespace edgeocr::kernels::int8
