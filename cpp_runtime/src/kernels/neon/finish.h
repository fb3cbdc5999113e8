// From floating point sums to outputs: bias, the node's own activation, its tail (kernels/tail.h).
//
// The usual ends (bias, then nothing, relu or hard_swish, or a residual, one output of the sums' type) are done on registers before the
// only store. Everything else is left to floating/finish_loops.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "kernels/floating/finish_loops.h"
#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

template <class T> constexpr DataType kDataType = std::is_same_v<T, float> ? DataType::f32 : DataType::f16;

// What happens to a sum on registers.
struct FloatForm {
  enum class Act : uint8_t { none, relu, hard_swish };
  Act act = Act::none;
  bool residual = false;  // without an activation only
  // The plain set's bits: sums begin at zero, the bias comes behind them, hard_swish rounds as requant.h has it. Otherwise sums begin with
  // the bias, and hard_swish takes its shortest form.
  bool plain = true;
  bool long_sums = false;  // fp16, of nodes that may have them (graph/passes/lower_to_fp16.h)
  // Without: sums begin with their first products. With neither the plain form nor an activation nor a residual only.
  bool bias = true;
  bool operator==(const FloatForm&) const = default;
};

template <class T> struct Constants {
  const T* bias = nullptr;  // one per channel, zeros for those that only pad
  // hard_swish. plain: offset, threshold, 1 / scale; else x clip(slope x + offset, 0, threshold), all three divided by scale
  float offset = 0, threshold = 0, slope = 0;
  const T* offsets = nullptr;  // kOffsets vectors of offset: loads of neighbours join, loads of one do not
  static constexpr int kOffsets = 24 / Vec<T>::kLanes;
};

// One vector of channels of one pixel. offsets: unknown_address(constants.offsets), or further on.
template <class T, FloatForm F>
[[gnu::always_inline]] inline typename Vec<T>::Register finish(typename Vec<T>::Register v, const T* bias, const T* residual,
                                                               const Constants<T>& c, const T* offsets) {
  using V = Vec<T>;
  if constexpr (F.plain) v = v + V::load(bias);
  if constexpr (F.act == FloatForm::Act::relu) v = V::max_number(v, V::broadcast(0));
  if constexpr (F.act == FloatForm::Act::hard_swish) {
    const auto lifted = F.plain ? v + V::broadcast(c.offset) : V::fma(V::load(offsets), v, V::broadcast(c.slope));
    const auto clipped = V::min(V::max_number(lifted, V::broadcast(0)), V::broadcast(c.threshold));
    v = v * (F.plain ? clipped * V::broadcast(c.slope) : clipped);
  }
  if constexpr (F.residual) v = v + V::load(residual);
  return v;
}
template <class T, FloatForm F>
[[gnu::always_inline]] inline typename Vec<T>::Register finish(typename Vec<T>::Register v, const T* bias, const T* residual,
                                                               const Constants<T>& c) {
  return finish<T, F>(v, bias, residual, c, unknown_address(c.offsets));
}

// One row of pixels.
template <class T> struct Row {
  static constexpr int kMaxSegments = 5;
  std::array<const T*, kMaxSegments> segments{};  // of the first pixel
  ptrdiff_t pixel_step = 0;                       // elements from pixel to pixel, the same in every segment
  int64_t pixels = 0;
  const T* start = nullptr;  // sums begin there instead of with the bias: [pixel][column]; null: they do not. Not for plain forms
  ptrdiff_t start_step = 0;
  T* out = nullptr;
  ptrdiff_t out_step = 0;
  const T* residual = nullptr;
  ptrdiff_t residual_step = 0;
  int64_t first = 0;  // pixel x adds residual pixel (first + x) >> residual_shift
  int residual_shift = 0;
};

template <class T> class Finish : public floating::FinishLoops {
 public:
  // bias: one per channel; plain: give the plain set's bits; long_sums: FloatForm's.
  Finish(const std::vector<float>& bias, const Activation& act, TailParameters tail, bool plain, bool long_sums = false);
  Finish(Finish&&) = default;  // not copied: constants() points at the bias

  // Whether form() is all there is to do, on maps whose pixels hold whole vectors.
  bool on_registers() const { return on_registers_; }
  // For kernels: where not on_registers(), sums get their bias alone.
  const FloatForm& form() const { return form_; }
  FloatForm bias_alone() const { return {FloatForm::Act::none, false, form_.plain, form_.long_sums}; }
  const Constants<T>& constants() const { return constants_; }

 private:
  std::vector<T> bias_, offsets_;
  bool on_registers_ = false;
  FloatForm form_;
  Constants<T> constants_;
};

}  // namespace edgeocr::kernels::neon
