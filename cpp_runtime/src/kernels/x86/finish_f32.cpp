#include "kernels/x86/finish_f32.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/generic/views.h"

namespace edgeocr::kernels::x86 {

namespace {

bool on_registers(const Activation& act) {
  return act.kind == ActKind::none || act.kind == ActKind::relu || act.kind == ActKind::hard_swish;
}

// The one activation that a node and its tail come to, if registers can do it.
std::optional<Activation> single_activation(const Activation& act, const TailParameters& tail) {
  if (!tail.activation.has_value()) return act;
  const Unary& unary = *tail.activation;
  if (act.kind != ActKind::none || (unary.op != UnaryOp::relu && unary.op != UnaryOp::hard_swish)) return {};
  return unary.parameters.act;
}

FormF32::Act form_of(ActKind kind) {
  return kind == ActKind::relu ? FormF32::Act::relu : kind == ActKind::hard_swish ? FormF32::Act::hard_swish : FormF32::Act::none;
}

}  // namespace

FinishF32::FinishF32(std::vector<float> bias, const Activation& act, TailParameters tail)
    : loops_(generic::current_loops()), channels_(static_cast<int64_t>(bias.size())), bias_(std::move(bias)), act_(act),
      tail_(std::move(tail)) {
  bias_.resize(static_cast<size_t>(generic::padded_columns(channels_)), 0.0f);
  if (!tail_.addend.empty()) tail_.addend.resize(bias_.size(), 0.0f);
  constants_.bias = bias_.data();
  const std::optional<Activation> single = single_activation(act_, tail_);
  const bool power_of_two = (tail_.residual_scale & (tail_.residual_scale - 1)) == 0;
  on_registers_ = single.has_value() && x86::on_registers(*single) && tail_.addend.empty() && power_of_two && tail_.outputs.size() == 1 &&
                  !tail_.outputs[0].int8() && pixel_stride_of(channels_) % 8 == 0;
  if (!on_registers_) return;
  form_ = {form_of(single->kind), tail_.residual >= 0};
  constants_.offset = single->offset;
  constants_.threshold = single->threshold;
  constants_.inverse_scale = single->inverse_scale;
}

void FinishF32::set_residual(RowF32& row, int64_t first, const Shape& shape, std::span<const TensorView> inputs) const {
  const TensorView& residual = inputs[static_cast<size_t>(tail_.residual)];
  const int64_t height = shape[2], width = shape[3], line = first / width;
  row.residual_shift = __builtin_ctz(static_cast<unsigned>(tail_.residual_scale));
  row.residual =
      residual.as<const float>() + line / height * residual.batch_stride + ((line % height) >> row.residual_shift) * residual.row_stride;
  row.residual_step = residual.pixel_stride;
  row.first = first % width;
}

void FinishF32::apply(UnaryOp op, const UnaryParameters& parameters, float*& y, float*& other, int64_t n) const {
  loops_.unary(op, parameters, y, n, other);
  std::swap(y, other);
}

void FinishF32::activate_own(float*& y, float*& other, int64_t n) const {
  UnaryParameters own;
  own.act = act_;
  switch (act_.kind) {
    case ActKind::none: return;
    case ActKind::relu: return apply(UnaryOp::relu, own, y, other, n);
    case ActKind::relu6: return apply(UnaryOp::relu6, own, y, other, n);
    case ActKind::leaky_relu: return apply(UnaryOp::leaky_relu, own, y, other, n);
    case ActKind::hard_swish: return apply(UnaryOp::hard_swish, own, y, other, n);
  }
}

void FinishF32::activate_tail(float*& y, float*& other, int64_t n) const {
  if (tail_.activation) apply(tail_.activation->op, tail_.activation->parameters, y, other, n);
}

void FinishF32::run(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
                    std::span<const TensorView> outputs) const {
  activate_own(y, other, count * lanes());
  for (int64_t i = 0; i < count && !tail_.addend.empty(); i++) loops_.accumulate(tail_.addend.data(), lanes(), y + i * lanes());
  activate_tail(y, other, count * lanes());
  const int64_t height = outputs[0].shape[2], width = outputs[0].shape[3];
  for (int64_t i = 0; i < count; i++) {
    float* pixel = y + i * lanes();
    const int64_t index = first + i, row = index / width, x = index % width;
    if (tail_.residual >= 0) {
      const TensorView& r = inputs[static_cast<size_t>(tail_.residual)];
      const int64_t scale = tail_.residual_scale;
      const int64_t at = row / height * r.batch_stride + row % height / scale * r.row_stride + x / scale * r.pixel_stride;
      loops_.accumulate(r.as<const float>() + at, channels_, pixel);
    }
    std::fill(pixel + channels_, pixel + lanes(), 0.0f);
    for (size_t o = 0; o < outputs.size(); o++) {
      const TensorView& out = outputs[o];
      const int64_t at = generic::pixel_offset(out, index), stored = std::min(out.pixel_stride, lanes());
      if (tail_.outputs[o].int8()) loops_.quantise(pixel, tail_.outputs[o].inverse_scale, stored, out.as<int8_t>() + at);
      else std::memcpy(out.as<float>() + at, pixel, static_cast<size_t>(stored) * sizeof(float));
    }
  }
}

void FinishF32::run_single(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
                           std::span<const TensorView> outputs) const {
  activate_own(y, other, count);
  if (!tail_.addend.empty())
    for (int64_t i = 0; i < count; i++) y[i] += tail_.addend[0];
  activate_tail(y, other, count);
  const int64_t height = outputs[0].shape[2], width = outputs[0].shape[3], scale = tail_.residual_scale;
  for (int64_t i = 0; i < count && tail_.residual >= 0; i++) {
    const TensorView& r = inputs[static_cast<size_t>(tail_.residual)];
    const int64_t row = (first + i) / width, x = (first + i) % width;
    y[i] += r.as<const float>()[row / height * r.batch_stride + row % height / scale * r.row_stride + x / scale * r.pixel_stride];
  }
  for (size_t o = 0; o < outputs.size(); o++) {
    const TensorView& out = outputs[o];
    const bool even = out.pixel_stride == 1 && generic::pixels_are_even(out);
    const int64_t run = even ? count : 1;
    for (int64_t i = 0; i < count; i += run) {
      const int64_t at = generic::pixel_offset(out, first + i);
      if (tail_.outputs[o].int8()) loops_.quantise(y + i, tail_.outputs[o].inverse_scale, run, out.as<int8_t>() + at);
      else std::memcpy(out.as<float>() + at, y + i, static_cast<size_t>(run) * sizeof(float));
    }
  }
}

void FinishF32::run_columns(float* y, float* other, int64_t row, int64_t column, int64_t columns, std::span<const TensorView> inputs,
                            std::span<const TensorView> outputs) const {
  const int64_t at = row * channels_ + column;
  activate_own(y, other, columns);
  if (!tail_.addend.empty()) loops_.accumulate(tail_.addend.data() + column, columns, y);
  activate_tail(y, other, columns);
  if (tail_.residual >= 0) loops_.accumulate(inputs[static_cast<size_t>(tail_.residual)].as<const float>() + at, columns, y);
  for (size_t o = 0; o < outputs.size(); o++) {
    if (tail_.outputs[o].int8()) loops_.quantise(y, tail_.outputs[o].inverse_scale, columns, outputs[o].as<int8_t>() + at);
    else std::memcpy(outputs[o].as<float>() + at, y, static_cast<size_t>(columns) * sizeof(float));
  }
}

}  // namespace edgeocr::kernels::x86
