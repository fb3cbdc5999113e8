#include "kernels/neon/finish.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/aligned.h"
#include "kernels/generic/views.h"
#include "kernels/neon/convert.h"
#include "kernels/neon/fast_sigmoid.h"

namespace edgeocr::kernels::neon {

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

FloatForm::Act form_of(ActKind kind) {
  using Act = FloatForm::Act;
  return kind == ActKind::relu ? Act::relu : kind == ActKind::hard_swish ? Act::hard_swish : Act::none;
}

}  // namespace

FinishLoops::FinishLoops(int64_t channels, const Activation& act, TailParameters tail, bool plain)
    : channels_(channels), lanes_(generic::padded_columns(channels)), act_(act), tail_(std::move(tail)), plain_(plain),
      loops_(generic::current_loops()) {
  if (!tail_.addend.empty()) tail_.addend.resize(static_cast<size_t>(lanes_), 0.0f);
}

void FinishLoops::apply(UnaryOp op, const UnaryParameters& parameters, float*& y, float*& other, int64_t n) const {
  if (op == UnaryOp::sigmoid && !plain_) return fast_sigmoid(y, n, y);
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
  if (residual.dtype == DataType::f32) return loops_.accumulate(residual.as<const float>() + at, n, y);
  const Half* r = residual.as<const Half>() + at;
  for (int64_t i = 0; i < n; i++) y[i] += static_cast<float>(r[i]);
}

// Elements from `at` on of one of the outputs.
void FinishLoops::store(const float* y, size_t output, const TensorView& out, int64_t at, int64_t n) const {
  const TailParameters::Output& form = tail_.outputs[output];
  if (form.int8()) return loops_.quantise(y, form.inverse_scale, n, out.as<int8_t>() + at);
  if (form.dtype == DataType::f16) return narrow(y, n, out.as<Half>() + at);
  std::memcpy(out.as<float>() + at, y, static_cast<size_t>(n) * sizeof(float));
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
    for (size_t o = 0; o < outputs.size(); o++) {
      const TensorView& out = outputs[o];
      store(pixel, o, out, generic::pixel_offset(out, index), std::min(out.pixel_stride, lanes()));
    }
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
  for (size_t o = 0; o < outputs.size(); o++) {
    const TensorView& out = outputs[o];
    const bool even = out.pixel_stride == 1 && generic::pixels_are_even(out);
    const int64_t run = even ? count : 1;
    for (int64_t i = 0; i < count; i += run) store(y + i, o, out, generic::pixel_offset(out, first + i), run);
  }
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

template <class T>
Finish<T>::Finish(const std::vector<float>& bias, const Activation& act, TailParameters tail, bool plain, bool long_sums)
    : FinishLoops(static_cast<int64_t>(bias.size()), act, std::move(tail), plain), bias_(bias.begin(), bias.end()) {
  bias_.resize(static_cast<size_t>(lanes()), static_cast<T>(0.0f));
  constants_.bias = bias_.data();
  form_.plain = plain;
  form_.long_sums = long_sums;
  const std::optional<Activation> single = single_activation(act_, tail_);
  const bool power_of_two = (tail_.residual_scale & (tail_.residual_scale - 1)) == 0;
  on_registers_ = single.has_value() && neon::on_registers(*single) && tail_.addend.empty() && power_of_two && tail_.outputs.size() == 1 &&
                  tail_.outputs[0].dtype == kDataType<T> && pixel_stride_of(channels_) % 8 == 0 &&
                  (tail_.residual < 0 || single->kind == ActKind::none);
  if (!on_registers_) return;
  form_.act = form_of(single->kind);
  form_.residual = tail_.residual >= 0;
  const float scale = plain ? 1.0f : single->inverse_scale;
  constants_.offset = single->offset * scale;
  constants_.threshold = single->threshold * scale;
  constants_.slope = single->inverse_scale;
  offsets_.assign(Constants<T>::kOffsets * Vec<T>::kLanes, static_cast<T>(constants_.offset));
  constants_.offsets = offsets_.data();
}

template <class T> void Finish<T>::set_residual(Row<T>& row, int64_t first, const Shape& shape, std::span<const TensorView> inputs) const {
  const TensorView& residual = inputs[static_cast<size_t>(tail_.residual)];
  const int64_t height = shape[2], width = shape[3], line = first / width;
  row.residual_shift = __builtin_ctz(static_cast<unsigned>(tail_.residual_scale));
  const int64_t y = (line % height) >> row.residual_shift;
  row.residual = residual.as<const T>() + line / height * residual.batch_stride + y * residual.row_stride;
  row.residual_step = residual.pixel_stride;
  row.first = first % width;
}

namespace {

// The sums, then two runs of fp32 (one, where the sums are fp32 themselves).
size_t run_bytes(int64_t elements, size_t element) { return align_up(static_cast<size_t>(elements) * element); }

}  // namespace

template <class T> size_t Finish<T>::scratch_bytes(int64_t pixels) const {
  const size_t sums = std::is_same_v<T, float> ? 0 : run_bytes(pixels * lanes(), sizeof(T));
  return sums + 2 * run_bytes(pixels * lanes(), sizeof(float));
}

template <class T>
void Finish<T>::run_sums(std::byte* scratch, int64_t pixels, int64_t first, int64_t count, std::span<const TensorView> inputs,
                         std::span<const TensorView> outputs) const {
  const size_t half = run_bytes(pixels * lanes(), sizeof(float));
  if constexpr (std::is_same_v<T, float>) {
    run(reinterpret_cast<float*>(scratch), reinterpret_cast<float*>(scratch + half), first, count, inputs, outputs);
  } else {
    auto* y = reinterpret_cast<float*>(scratch + run_bytes(pixels * lanes(), sizeof(T)));
    widen(reinterpret_cast<const T*>(scratch), count * lanes(), y);
    run(y, y + half / sizeof(float), first, count, inputs, outputs);
  }
}

template class Finish<float>;
template class Finish<Half>;

}  // namespace edgeocr::kernels::neon
