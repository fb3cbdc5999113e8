#include "kernels/floating/finish_loops.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/aligned.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::floating {

FinishLoops::FinishLoops(int64_t channels, const Activation& act, TailParameters tail, const FinishSteps& steps)
    : loops_(generic::current_loops()), channels_(channels), lanes_(generic::padded_columns(channels)), act_(act), tail_(std::move(tail)),
      steps_(steps) {
  if (!tail_.addend.empty()) tail_.addend.resize(static_cast<size_t>(lanes_), 0.0f);
}

std::optional<Activation> FinishLoops::activation_on_registers(DataType dtype) const {
  const bool power_of_two = (tail_.residual_scale & (tail_.residual_scale - 1)) == 0;
  const bool whole_vectors = pixel_stride_of(channels_) % 8 == 0;
  const bool one_output = tail_.outputs.size() == 1 && tail_.outputs[0].dtype == dtype;
  if (!power_of_two || !whole_vectors || !one_output || !tail_.addend.empty()) return {};
  Activation act = act_;
  if (tail_.activation) {
    const Unary& unary = *tail_.activation;
    if (act.kind != ActKind::none || (unary.op != UnaryOp::relu && unary.op != UnaryOp::hard_swish)) return {};
    act = unary.parameters.act;
  }
  const bool can = act.kind == ActKind::none || act.kind == ActKind::relu || act.kind == ActKind::hard_swish;
  return can ? std::optional(act) : std::nullopt;
}

void FinishLoops::apply(UnaryOp op, const UnaryParameters& parameters, float*& y, float*& other, int64_t n) const {
  if (op == UnaryOp::sigmoid && steps_.sigmoid != nullptr) return steps_.sigmoid(y, n, y);
  loops_.unary(op, parameters, y, n, other);
  std::swap(y, other);
}

void FinishLoops::activate_own(float*& y, float*& other, int64_t n) const {
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

void FinishLoops::activate_tail(float*& y, float*& other, int64_t n) const {
  if (tail_.activation) apply(tail_.activation->op, tail_.activation->parameters, y, other, n);
}

void FinishLoops::add_residual(const TensorView& residual, int64_t at, int64_t n, float* y) const {
  if (residual.dtype == DataType::f16) return steps_.add_f16(residual, at, n, y);
  loops_.accumulate(residual.as<const float>() + at, n, y);
}

// Elements from `at` on of one of the outputs.
void FinishLoops::store(const float* y, size_t output, const TensorView& out, int64_t at, int64_t n) const {
  const TailParameters::Output& form = tail_.outputs[output];
  if (form.int8()) return loops_.quantise(y, form.inverse_scale, n, out.as<int8_t>() + at);
  if (form.dtype == DataType::f16) return steps_.store_f16(y, n, out, at);
  std::memcpy(out.as<float>() + at, y, static_cast<size_t>(n) * sizeof(float));
}

size_t FinishLoops::sums_bytes(int64_t pixels) const {
  return steps_.widen == nullptr ? 0 : align_up(static_cast<size_t>(pixels * lanes_) * steps_.sum_bytes);
}
size_t FinishLoops::run_bytes(int64_t pixels) const { return align_up(static_cast<size_t>(pixels * lanes_) * sizeof(float)); }

size_t FinishLoops::scratch_bytes(int64_t pixels) const { return sums_bytes(pixels) + 2 * run_bytes(pixels); }

void FinishLoops::run_sums(std::byte* scratch, int64_t pixels, int64_t first, int64_t count, std::span<const TensorView> inputs,
                           std::span<const TensorView> outputs) const {
  std::byte* wide = scratch + sums_bytes(pixels);
  auto *y = reinterpret_cast<float*>(wide), *other = reinterpret_cast<float*>(wide + run_bytes(pixels));
  if (steps_.widen != nullptr) steps_.widen(scratch, count * lanes_, y);
  run(y, other, first, count, inputs, outputs);
}

void FinishLoops::run(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
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
      add_residual(r, row / height * r.batch_stride + row % height / scale * r.row_stride + x / scale * r.pixel_stride, channels_, pixel);
    }
    std::fill(pixel + channels_, pixel + lanes(), 0.0f);
    for (size_t o = 0; o < outputs.size(); o++) store(pixel, o, outputs[o], index * outputs[o].pixel_stride, outputs[o].pixel_stride);
  }
}

void FinishLoops::run_single(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
                             std::span<const TensorView> outputs) const {
  activate_own(y, other, count);
  if (!tail_.addend.empty())
    for (int64_t i = 0; i < count; i++) y[i] += tail_.addend[0];
  activate_tail(y, other, count);
  const int64_t height = outputs[0].shape[2], width = outputs[0].shape[3], scale = tail_.residual_scale;
  for (int64_t i = 0; i < count && tail_.residual >= 0; i++) {
    const TensorView& r = inputs[static_cast<size_t>(tail_.residual)];
    const int64_t row = (first + i) / width, x = (first + i) % width;
    add_residual(r, row / height * r.batch_stride + row % height / scale * r.row_stride + x / scale * r.pixel_stride, 1, y + i);
  }
  for (size_t o = 0; o < outputs.size(); o++) store(y, o, outputs[o], first, count);
}

void FinishLoops::run_columns(float* y, float* other, int64_t row, int64_t column, int64_t columns, std::span<const TensorView> inputs,
                              std::span<const TensorView> outputs) const {
  const int64_t at = row * channels_ + column;
  activate_own(y, other, columns);
  if (!tail_.addend.empty()) loops_.accumulate(tail_.addend.data() + column, columns, y);
  activate_tail(y, other, columns);
  if (tail_.residual >= 0) add_residual(inputs[static_cast<size_t>(tail_.residual)], at, columns, y);
  for (size_t o = 0; o < outputs.size(); o++) store(y, o, outputs[o], at, columns);
}

}  // namespace edgeocr::kernels::floating
