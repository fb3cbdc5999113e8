#include "kernels/generic/parameters.h"

#include "base/error.h"

namespace edgeocr::kernels::generic {

namespace {

Activation relu6_of(float threshold) { return {.kind = ActKind::relu6, .threshold = threshold}; }

Activation hard_swish_of(float threshold, float scale, float offset) {
  return {.kind = ActKind::hard_swish, .threshold = threshold, .offset = offset, .inverse_scale = 1.0f / scale};
}

[[noreturn]] void fail_activation(const graph::Node& node, const std::string& type) {
  fail("%s: activation %s is not supported", node.label().c_str(), type.c_str());
}

}  // namespace

Activation conv_activation(const graph::Node& node) {
  if (node.attr_int("with_act", 0) == 0) {
    if (node.attr_int("fuse_relu", 0) != 0) return {.kind = ActKind::relu};
    return {};
  }
  const std::string type = node.attr_string("act_type");
  if (type.empty()) return {};
  if (type == "relu") return {.kind = ActKind::relu};
  if (type == "relu6") return relu6_of(node.attr_float("fuse_brelu_threshold", 6.0f));
  if (type == "leaky_relu") return {.kind = ActKind::leaky_relu, .alpha = node.attr_float("leaky_relu_alpha")};
  if (type == "hard_swish") {
    return hard_swish_of(node.attr_float("hard_swish_threshold", 6.0f), node.attr_float("hard_swish_scale", 6.0f),
                         node.attr_float("hard_swish_offset", 3.0f));
  }
  fail_activation(node, type);
}

Activation named_activation(const graph::Node& node, std::string_view attribute) {
  const std::string type = node.attr_string(attribute);
  if (type.empty()) return {};
  if (type == "relu") return {.kind = ActKind::relu};
  if (type == "relu6") return relu6_of(node.attr_float("alpha", 6.0f));
  if (type == "leaky_relu") return {.kind = ActKind::leaky_relu, .alpha = node.attr_float("alpha")};
  fail_activation(node, type);
}

const graph::Constant& constant_input(const graph::Node& node, const graph::Graph& graph, std::string_view parameter, int index) {
  const graph::ValueId id = node.input(parameter, index);
  const int length = static_cast<int>(parameter.size());
  if (id == graph::kNoValue) fail("%s: input %.*s is missing", node.label().c_str(), length, parameter.data());
  const graph::Constant* constant = graph.constant(id);
  if (constant == nullptr) {
    fail("%s: input %.*s (%s) is computed, expected a parameter", node.label().c_str(), length, parameter.data(),
         graph.value(id).name.c_str());
  }
  return *constant;
}

std::vector<float> constant_floats(const graph::Node& node, const graph::Graph& graph, std::string_view parameter) {
  const graph::Constant& constant = constant_input(node, graph, parameter);
  if (constant.dtype != DataType::f32) {
    fail("%s: input %.*s is %s, expected fp32", node.label().c_str(), static_cast<int>(parameter.size()), parameter.data(),
         name_of(constant.dtype));
  }
  const auto values = constant.as<float>();
  return {values.begin(), values.end()};
}

std::vector<float> bias_or_zeros(const graph::Node& node, const graph::Graph& graph, int64_t n) {
  if (node.input("Bias") == graph::kNoValue) return std::vector<float>(static_cast<size_t>(n), 0.0f);
  std::vector<float> bias = constant_floats(node, graph, "Bias");
  if (static_cast<int64_t>(bias.size()) != n) {
    fail("%s: Bias has %zu values, expected %lld", node.label().c_str(), bias.size(), static_cast<long long>(n));
  }
  return bias;
}

std::vector<float> scales(const graph::Node& node, std::string_view attribute, int64_t n) {
  std::vector<float> values = node.attr_floats(attribute);
  if (values.size() == 1) values.resize(static_cast<size_t>(n), float{values[0]});
  if (static_cast<int64_t>(values.size()) != n) {
    fail("%s: attribute %.*s has %zu values, expected 1 or %lld", node.label().c_str(), static_cast<int>(attribute.size()),
         attribute.data(), values.size(), static_cast<long long>(n));
  }
  return values;
}

float single_scale(const graph::Node& node, std::string_view attribute) { return scales(node, attribute, 1)[0]; }

size_t input_index(const graph::Node& node, std::string_view parameter, int index) {
  const int position = node.input_position(parameter, index);
  if (position < 0) fail("%s: input %.*s is missing", node.label().c_str(), static_cast<int>(parameter.size()), parameter.data());
  return static_cast<size_t>(position);
}

float positive_scale(const graph::Node& node, std::string_view attribute) {
  const float scale = single_scale(node, attribute);
  if (!(scale > 0)) {
    fail("%s: %.*s is %g, expected more than 0", node.label().c_str(), static_cast<int>(attribute.size()), attribute.data(),
         static_cast<double>(scale));
  }
  return scale;
}

size_t output_index(const graph::Node& node, std::string_view parameter) {
  for (size_t i = 0; i < node.outputs.size(); i++)
    if (node.outputs[i].parameter == parameter) return i;
  fail("%s: output %.*s is missing", node.label().c_str(), static_cast<int>(parameter.size()), parameter.data());
}

int positive_axis(std::string_view op, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    fail("%.*s: axis is %lld, expected one of a tensor of rank %d", static_cast<int>(op.size()), op.data(), static_cast<long long>(axis),
         rank);
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace edgeocr::kernels::generic
