#include "kernels/generic/requantisation.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

bool all_finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

// fold(scale, bias): the ChannelScale of a channel.
template <class Fold> void fold_channels(Requantisation& r, const Fold& fold) {
  for (size_t o = 0; o < r.scale.size(); o++) {
    const ChannelScale folded = fold(r.scale[o], r.bias[o]);
    r.scale[o] = folded.scale;
    r.bias[o] = folded.bias;
  }
}

void fold_to_fp32(Requantisation& r, float input_scale) {
  fold_channels(r, [&](float scale, float bias) { return fold_fp32_out(scale, input_scale, bias); });
}

void fold_to_int8(Requantisation& r, RequantRule rule, float input_scale, float output_scale) {
  fold_channels(r, [&](float scale, float bias) { return fold_int8_out(rule, scale, input_scale, output_scale, bias); });
  r.output = DataType::i8;
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
  if (parameters.int8_out) fold_to_int8(r, requant_rule(parameters.geometry), input_scale, positive_scale(node, "Output0_scale"));
  else fold_to_fp32(r, input_scale);
  return r;
}

Requantisation fc_requantisation(const graph::Node& node, const graph::Graph& graph, const FcForm& form) {
  const bool dynamic = is_dynamic_fc(node);
  Requantisation r{DataType::f32, scales(node, form.weight_scale, form.n), bias_or_zeros(node, graph, form.n), {}};
  if (node.op == "fc" || dynamic) r.act = named_activation(node, "activation_type");
  const float input_scale = dynamic ? 1.0f : single_scale(node, form.input_scale);
  const std::string_view output_scale = node.has_attr("Out0_scale") ? "Out0_scale" : "Output0_scale";
  if (node.alias == "int8out") fold_to_int8(r, RequantRule::gemm, input_scale, positive_scale(node, output_scale));
  else fold_to_fp32(r, input_scale);
  return r;
}

}  // namespace edgeocr::kernels::generic
