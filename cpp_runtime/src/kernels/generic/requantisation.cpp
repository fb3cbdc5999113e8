#include "kernels/generic/requantisation.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

bool all_finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

void fold_to_fp32(Requantisation& r, float input_scale) {
  for (size_t o = 0; o < r.scale.size(); o++) {
    const ChannelScale folded = fold_fp32_out(r.scale[o], input_scale, r.bias[o]);
    r.scale[o] = folded.scale;
    r.bias[o] = folded.bias;
  }
}

void fold_to_int8(Requantisation& r, RequantRule rule, float input_scale, const graph::Node& node, std::string_view attribute) {
  const float output_scale = single_scale(node, attribute);
  if (!(output_scale > 0)) {
    fail("%s: %.*s is %g, expected more than 0", node.label().c_str(), static_cast<int>(attribute.size()), attribute.data(),
         static_cast<double>(output_scale));
  }
  r.output = DataType::i8;
  for (size_t o = 0; o < r.scale.size(); o++) {
    const ChannelScale folded = fold_int8_out(rule, r.scale[o], input_scale, output_scale, r.bias[o]);
    r.scale[o] = folded.scale;
    r.bias[o] = folded.bias;
  }
  r.act = in_units_of(r.act, output_scale);
}

}  // namespace

bool Requantisation::is_finite() const {
  return all_finite(scale) && all_finite(bias) && all_finite({act.threshold, act.offset, act.inverse_scale, act.alpha});
}

Requantisation conv_requantisation(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters) {
  const int64_t channels = parameters.geometry.out_channels;
  Requantisation r{DataType::f32, scales(node, "Filter0_scale", channels), bias_or_zeros(node, graph, channels), conv_activation(node)};
  const float input_scale = single_scale(node, "Input0_scale");
  if (parameters.int8_out) fold_to_int8(r, requant_rule(parameters.geometry), input_scale, node, "Output0_scale");
  else fold_to_fp32(r, input_scale);
  return r;
}

Requantisation fc_requantisation(const graph::Node& node, const graph::Graph& graph, const FcForm& form) {
  const bool dynamic = is_dynamic_fc(node);
  Requantisation r{DataType::f32, scales(node, form.weight_scale, form.n), bias_or_zeros(node, graph, form.n), {}};
  if (node.op == "fc" || dynamic) r.act = named_activation(node, "activation_type");
  const float input_scale = dynamic ? 1.0f : single_scale(node, form.input_scale);
  const bool int8_out = node.alias == "int8out";
  if (int8_out) fold_to_int8(r, RequantRule::gemm, input_scale, node, node.has_attr("Out0_scale") ? "Out0_scale" : "Output0_scale");
  else fold_to_fp32(r, input_scale);
  return r;
}

}  // namespace edgeocr::kernels::generic
