#include "graph/passes/fold_batch_norm.h"

#include <cmath>
#include <optional>

#include "graph/passes/convolution.h"
#include "graph/passes/rewrite.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

bool folds_into(const Node& node) {
  const bool convolution = node.op == "conv2d" || node.op == "depthwise_conv2d" || node.op == "conv2d_transpose";
  return convolution && node.precision == kFp32Precision && !has_activation(node) && node.tail == nullptr;
}

// Per channel: y = x * scale + shift.
struct Affine {
  std::vector<double> scale, shift;
};

std::optional<Affine> affine_of(const Node& norm, const Graph& graph, int64_t channels) {
  std::vector<std::span<const float>> values;
  for (const char* parameter : {"Scale", "Bias", "Mean", "Variance"}) {
    const Constant* constant = graph.constant(norm.input(parameter));
    if (constant == nullptr || constant->dtype != DataType::f32 || constant->shape.count() != channels) return std::nullopt;
    values.push_back(constant->as<float>());
  }
  const double epsilon = static_cast<double>(norm.attr_float("epsilon", 1e-5f));
  Affine affine;
  for (size_t c = 0; c < static_cast<size_t>(channels); c++) {
    affine.scale.push_back(static_cast<double>(values[0][c]) / std::sqrt(static_cast<double>(values[3][c]) + epsilon));
    affine.shift.push_back(static_cast<double>(values[1][c]) - static_cast<double>(values[2][c]) * affine.scale[c]);
  }
  return affine;
}

// Filter OIHW; transposed IOHW with O per group: input channels of one group are neighbours.
std::vector<float> scaled_filter(const Node& node, const Constant& filter, const Affine& affine) {
  const Shape& shape = filter.shape;
  const int64_t taps = shape[2] * shape[3];
  const bool transposed = node.op == "conv2d_transpose";
  const int64_t per_group = shape[0] / node.attr_int("groups", 1);
  std::vector<float> values(filter.as<float>().begin(), filter.as<float>().end());
  for (size_t i = 0; i < values.size(); i++) {
    const int64_t at = static_cast<int64_t>(i) / taps, first = at / shape[1], second = at % shape[1];
    const int64_t channel = transposed ? first / per_group * shape[1] + second : first;
    values[i] = static_cast<float>(static_cast<double>(values[i]) * affine.scale[static_cast<size_t>(channel)]);
  }
  return values;
}

std::vector<float> scaled_bias(const Constant* bias, const Affine& affine) {
  std::vector<float> values;
  for (size_t c = 0; c < affine.scale.size(); c++) {
    const double before = bias == nullptr ? 0 : static_cast<double>(bias->as<float>()[c]);
    values.push_back(static_cast<float>(before * affine.scale[c] + affine.shift[c]));
  }
  return values;
}

Port& bias_port(Node& node) {
  const int position = node.input_position("Bias");
  if (position >= 0) return node.inputs[static_cast<size_t>(position)];
  return node.inputs.emplace_back(Port{"Bias", 0, kNoValue});
}

}  // namespace

void fold_batch_norm(Graph& graph) {
  rewrite(graph, [&](const Uses& uses, size_t n) {
    Node& norm = graph.nodes[n];
    if (norm.op != "batch_norm" || norm.tail != nullptr) return false;
    const ValueId input = norm.input("X");
    const int maker = uses.producer(input);
    if (maker < 0 || uses.sole_reader(input) != static_cast<int>(n)) return false;
    Node& conv = graph.nodes[static_cast<size_t>(maker)];
    const Constant *filter = graph.constant(conv.input("Filter")), *bias = graph.constant(conv.input("Bias"));
    if (!folds_into(conv) || filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4) return false;
    const int64_t channels = output_channels(conv, graph), groups = conv.attr_int("groups", 1);
    if (groups < 1 || filter->shape[0] % groups != 0) return false;
    if (bias != nullptr && (bias->dtype != DataType::f32 || bias->shape.count() != channels)) return false;
    const std::optional<Affine> affine = affine_of(norm, graph, channels);
    if (!affine) return false;

    auto new_filter = make_constant(scaled_filter(conv, *filter, *affine), filter->shape);
    auto new_bias = make_constant(scaled_bias(bias, *affine), {channels});
    const std::string name = graph.value(conv.input("Filter")).name;
    conv.inputs[static_cast<size_t>(conv.input_position("Filter"))].value = add_value(graph, name, std::move(new_filter));
    bias_port(conv).value = add_value(graph, "bias of " + conv.label(), std::move(new_bias));
    conv.outputs[0].value = norm.outputs[0].value;
    take_out(norm);
    return true;
  });
}

}  // namespace edgeocr::graph
