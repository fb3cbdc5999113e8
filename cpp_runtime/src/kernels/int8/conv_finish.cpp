#include "kernels/int8/conv_finish.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/requantisation.h"
#include "kernels/generic/views.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/int8/value_bound.h"

namespace edgeocr::kernels::int8 {

namespace {

bool has_form(ActKind kind) { return kind == ActKind::none || kind == ActKind::relu || kind == ActKind::hard_swish; }

// Of the node or of its tail, which may not both have one; a tail comes after no int8 result.
Activation activation_of(const Activation& own, const TailParameters& tail) {
  if (!tail.activation) return own;
  Activation act = tail.activation->parameters.act;
  if (tail.activation->op == UnaryOp::relu) act.kind = ActKind::relu;
  return act;
}

// Of the values before they are rounded, as far as it is known.
double bound_of(const graph::Node& node, const graph::Graph& graph, std::span<const float> scale, std::span<const float> bias,
                const Activation& act, int residual) {
  const std::vector<double> sums = sum_bounds(node, graph);
  double bound = 0;
  for (size_t o = 0; o < sums.size(); o++)
    bound = std::max(bound, std::abs(sums[o] * static_cast<double>(scale[o])) + std::abs(static_cast<double>(bias[o])));
  bound = activated_bound(bound, act);
  return residual < 0 ? bound : bound + value_bound(node.inputs[static_cast<size_t>(residual)].value, graph);
}

bool is_bounded(double bound, float inverse_scale) { return bound * inverse_scale < kBound; }

}  // namespace

bool ConvFinish::accepts(const graph::Node& node, const graph::Graph& graph, const generic::ConvParameters& parameters,
                         const Abilities& abilities) {
  if (usable_loops() == nullptr) return false;
  const Activation own = generic::conv_activation(node);
  const TailParameters tail = parse_tail(node, graph);
  if (!tail.addend.empty() || tail.outputs.size() > kMaxOutputs) return false;
  if (tail.activation) {
    const UnaryOp op = tail.activation->op;
    if (own.kind != ActKind::none || (op != UnaryOp::relu && op != UnaryOp::hard_swish)) return false;
  }
  if (!has_form(own.kind)) return false;
  if (tail.residual >= 0 && (!abilities.residual || own.kind != ActKind::none || tail.activation)) return false;
  if (!std::has_single_bit(static_cast<unsigned>(tail.residual_scale))) return false;
  if (std::ranges::count_if(tail.outputs, [](const TailParameters::Output& o) { return !o.int8(); }) > 1) return false;
  if (tail.has_f16_output()) {
    const bool linear = activation_of(own, tail).kind != ActKind::hard_swish && tail.residual < 0;
    if (!abilities.fp16 || !linear || tail.outputs.size() != 1) return false;
  }
  return generic::conv_requantisation(node, graph, parameters).is_finite();
}

ConvFinish::ConvFinish(const graph::Node& node, const graph::Graph& graph, const generic::ConvParameters& parameters, bool seconds)
    : loops_(inner_loops()), tail_(parse_tail(node, graph)) {
  const int64_t channels = parameters.geometry.out_channels;
  generic::Requantisation own = generic::conv_requantisation(node, graph, parameters);
  scale_ = std::move(own.scale);
  bias_ = std::move(own.bias);
  scale_.resize(static_cast<size_t>(pixel_stride_of(channels)), 0.0f);
  bias_.resize(static_cast<size_t>(pixel_stride_of(channels)), 0.0f);

  const Activation act = act_ = activation_of(own.act, tail_);
  const bool relu = act.kind == ActKind::relu;
  constants_ = {.floor = relu ? 0.0f : -std::numeric_limits<float>::infinity(),
                .low = static_cast<int8_t>(relu ? 0 : -127),
                .offset = act.offset,
                .threshold = act.threshold,
                .inverse_scale = act.inverse_scale};
  form_.function = tail_.residual >= 0 ? Function::residual : act.kind == ActKind::hard_swish ? Function::hard_swish : Function::linear;
  form_.fast = graph::is_fast_int8(node);
  residual_shift_ = std::countr_zero(static_cast<unsigned>(tail_.residual_scale));

  const double bound = bound_of(node, graph, scale_, bias_, act_, tail_.residual);
  if (parameters.int8_out) {
    form_.store = is_bounded(bound, 1.0f) ? Store::bounded_calib : Store::calib;
    dtypes_ = {DataType::i8};
    return;
  }
  const auto& outputs = tail_.outputs;
  for (const TailParameters::Output& output : outputs) dtypes_.push_back(output.dtype);
  if (outputs.size() == 1 && outputs[0].int8()) {
    form_.store = is_bounded(bound, outputs[0].inverse_scale) ? Store::bounded_calib : Store::calib;
    constants_.calib = outputs[0].inverse_scale;
    return;
  }
  if (outputs.size() == 1 && outputs[0].dtype == DataType::f16) {
    form_.store = Store::fp16;
    return;
  }
  const bool narrow = std::ranges::all_of(sum_bounds(node, graph), [](double sum) { return sum < kNarrow; });
  share_out(bound, seconds && narrow);
}

void ConvFinish::share_out(double bound, bool seconds) {
  form_.store = Store::fp32;
  direct_ = -1;
  for (size_t i = 0; i < tail_.outputs.size(); i++) {
    const TailParameters::Output& output = tail_.outputs[i];
    if (output.int8()) extras_.push_back({i, output.inverse_scale, is_bounded(bound, output.inverse_scale)});
    else direct_ = static_cast<int>(i);
  }
  const auto take = [&](std::vector<Extra>::iterator extra, int& output, float& calib) {
    output = static_cast<int>(extra->output);
    calib = extra->inverse_scale;
    extras_.erase(extra);
  };
  if (!seconds) return;
  if (direct_ < 0 && form_.function == Function::residual && extras_.size() == 2 && std::ranges::all_of(extras_, &Extra::bounded)) {
    form_.store = Store::bounded_calib;
    take(extras_.begin(), direct_, constants_.calib);
  }
  const auto second = std::ranges::find_if(extras_, &Extra::bounded);
  if (direct_ < 0 || second == extras_.end()) return;
  form_.second = true;
  take(second, second_, constants_.second_calib);
}

FinishConstants ConvFinish::constants() const {
  FinishConstants constants = constants_;
  constants.scale = scale_.data();
  constants.bias = bias_.data();
  return constants;
}

std::vector<Rule> ConvFinish::rules() const {
  std::vector<Rule> rules;
  for (size_t i = 0; i < scale_.size(); i++) rules.push_back({{scale_[i], bias_[i]}, act_, constants_.calib});
  return rules;
}

size_t ConvFinish::scratch_bytes(const TensorView& out, int64_t rows) const {
  return direct_ >= 0 ? 0 : align_up(static_cast<size_t>(rows * out.row_stride) * sizeof(float));
}

ConvFinish::Row ConvFinish::row(std::span<const TensorView> outputs, int64_t line, std::byte* scratch) const {
  if (direct_ < 0) return {scratch, outputs[0].pixel_stride * static_cast<ptrdiff_t>(sizeof(float))};
  const TensorView& out = outputs[static_cast<size_t>(direct_)];
  const ptrdiff_t bytes = result_bytes(form_.store);
  Row row{.data = static_cast<std::byte*>(out.data) + line * out.row_stride * bytes, .step = out.pixel_stride * bytes};
  if (second_ < 0) return row;
  const TensorView& second = outputs[static_cast<size_t>(second_)];
  row.second = second.as<int8_t>() + line * second.row_stride;
  row.second_step = second.pixel_stride;
  return row;
}

void ConvFinish::complete(const Row& row, std::span<const TensorView> outputs, int64_t line, int64_t rows) const {
  for (const Extra& extra : extras_) {
    const TensorView& out = outputs[extra.output];
    const auto quantise = extra.bounded ? loops_.quantise_bounded : loops_.quantise;
    quantise(reinterpret_cast<const float*>(row.data), extra.inverse_scale, rows * out.row_stride,
             out.as<int8_t>() + line * out.row_stride);
  }
}

void ConvFinish::check(std::string_view op, std::span<const TensorView> outputs, int64_t channels) const {
  if (outputs.size() != dtypes_.size())
    fail("%.*s: %zu outputs given, expected %zu", static_cast<int>(op.size()), op.data(), outputs.size(), dtypes_.size());
  for (size_t i = 0; i < outputs.size(); i++) {
    generic::expect_dtype(op, "output", outputs[i], dtypes_[i]);
    if (!outputs[i].is_map() || outputs[i].shape[1] != channels || !(outputs[i].shape == outputs[0].shape))
      fail("%.*s: output %zu is %s, expected %lld channels and equal shapes", static_cast<int>(op.size()), op.data(), i,
           outputs[i].shape.str().c_str(), static_cast<long long>(channels));
  }
}

}  // namespace edgeocr::kernels::int8
