// A thin vector type: what floating point kernels need of an instruction set, so that one source serves several element types and
// processors. Vec<T>::Register is a compiler vector: +, - and * work on it lane by lane, each rounded by itself.
//
// Matrix products multiply a vector of weights by one value of a pixel at a time. How that is quickest differs: NEON multiplies by a lane
// of a register, others broadcast from memory. So a kernel loads kLanes `Values` of a pixel and names the one it means.
#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <cstddef>

namespace edgeocr::kernels {

template <class T> struct Vec;

#if defined(__aarch64__)

using Half = __fp16;

template <> struct Vec<float> {
  using Register = float32x4_t;
  using Values = float32x4_t;
  static constexpr int kLanes = 4;
  // Whether long sums need their products summed apart, kLanes at a time, before they join: it keeps the error of fp32 sums.
  static constexpr bool kShortSums = false;

  [[gnu::always_inline]] static Register load(const float* p) { return vld1q_f32(p); }
  [[gnu::always_inline]] static Values load_values(const float* p) { return vld1q_f32(p); }
  [[gnu::always_inline]] static void store(float* p, Register v) { vst1q_f32(p, v); }
  [[gnu::always_inline]] static Register broadcast(float v) { return vdupq_n_f32(v); }
  // sum + a b, sum - a b, rounded once
  [[gnu::always_inline]] static Register fma(Register sum, Register a, Register b) { return vfmaq_f32(sum, a, b); }
  [[gnu::always_inline]] static Register fms(Register sum, Register a, Register b) { return vfmsq_f32(sum, a, b); }
  template <int Value> [[gnu::always_inline]] static Register multiply(Register weights, Values x) {
    return vmulq_laneq_f32(weights, x, Value);
  }
  template <int Value> [[gnu::always_inline]] static Register fma(Register sum, Register weights, Values x) {
    return vfmaq_laneq_f32(sum, weights, x, Value);
  }
  // The number where the other is NaN, as requant.h's comparisons have it.
  [[gnu::always_inline]] static Register max_number(Register a, Register b) { return vmaxnmq_f32(a, b); }
  [[gnu::always_inline]] static Register min(Register a, Register b) { return vminq_f32(a, b); }
};

template <> struct Vec<Half> {
  using Register = float16x8_t;
  using Values = float16x8_t;
  static constexpr int kLanes = 8;
  static constexpr bool kShortSums = true;

  [[gnu::always_inline]] static Register load(const Half* p) { return vld1q_f16(p); }
  [[gnu::always_inline]] static Values load_values(const Half* p) { return vld1q_f16(p); }
  [[gnu::always_inline]] static Values load_four_values(const Half* p) { return vcombine_f16(vld1_f16(p), vdup_n_f16(0)); }
  [[gnu::always_inline]] static void store(Half* p, Register v) { vst1q_f16(p, v); }
  [[gnu::always_inline]] static Register broadcast(float v) { return vdupq_n_f16(static_cast<Half>(v)); }
  [[gnu::always_inline]] static Register fma(Register sum, Register a, Register b) { return vfmaq_f16(sum, a, b); }
  [[gnu::always_inline]] static Register fms(Register sum, Register a, Register b) { return vfmsq_f16(sum, a, b); }
  template <int Value> [[gnu::always_inline]] static Register multiply(Register weights, Values x) {
    return vmulq_laneq_f16(weights, x, Value);
  }
  template <int Value> [[gnu::always_inline]] static Register fma(Register sum, Register weights, Values x) {
    return vfmaq_laneq_f16(sum, weights, x, Value);
  }
  [[gnu::always_inline]] static Register max_number(Register a, Register b) { return vmaxnmq_f16(a, b); }
  [[gnu::always_inline]] static Register min(Register a, Register b) { return vminq_f16(a, b); }
};

#endif

// The same address, of which the compiler does not know that it is: it loads again what it may hold in a register already. As an addend
// of a multiply-add, which overwrites it, a load is free, a copy of a register is not.
template <class T> [[gnu::always_inline]] inline T* unknown_address(T* p) {
  asm volatile("" : "+r"(p));
  return p;
}
template <class T> [[gnu::always_inline]] inline typename Vec<T>::Register load_again(const T* p) {
  return Vec<T>::load(unknown_address(p));
}

}  // namespace edgeocr::kernels
