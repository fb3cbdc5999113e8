// The vector forms of requant.h for AVX-512: from int32 sums to outputs, eight channels at a time, with the same bits. Scales and
// biases are finite, so that NaN, which requant.h sends to -127, comes from fp32 inputs only.
#pragma once

#include <immintrin.h>

#include "kernels/x86/inner_isa.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

using int8::FinishConstants;
using int8::Form;
using int8::Function;
using int8::Store;

// Half away from zero: what is below a half, with the value's sign, is added, and the fraction dropped. A half itself instead would
// bring the number before 0.5 to 1. Too great a value is cut before; NaN and too small ones become the least integer, then the bytes
// saturate.
inline __m128i round_to_int8(f32x8 v, int8_t low) {
  constexpr float kBelowHalf = 0x1.fffffep-2f;
  constexpr int kSignOfFirstElseSecond = 0xea;                      // (a & b) | c
  const __m256 bounded = _mm256_min_ps(_mm256_set1_ps(127.0f), v);  // NaN stays: the second operand
  const __m256i addend = _mm256_ternarylogic_epi32(_mm256_castps_si256(bounded), _mm256_set1_epi32(INT32_MIN),
                                                   _mm256_castps_si256(_mm256_set1_ps(kBelowHalf)), kSignOfFirstElseSecond);
  const __m256i rounded = _mm256_cvttps_epi32(_mm256_add_ps(bounded, _mm256_castsi256_ps(addend)));
  return _mm_max_epi8(_mm256_cvtsepi32_epi8(rounded), _mm_set1_epi8(low));
}

inline f32x8 requantise(__m256i sum, f32x8 scale, f32x8 bias) { return multiply_add(bias, f32x8(_mm256_cvtepi32_ps(sum)), scale); }

inline void store_rounded(f32x8 v, int8_t low, void* out) {
  const auto bytes = static_cast<int64_t>(_mm_cvtsi128_si64(round_to_int8(v, low)));
  __builtin_memcpy(out, &bytes, sizeof bytes);
}

// A requantised value to its store, and to `second` if there is one. residual: of the same eight channels.
template <Function F, Store S>
inline void finish(f32x8 v, const float* residual, const FinishConstants& c, std::byte* out, int8_t* second = nullptr) {
  const f32x8 zero = 0.0f;
  if constexpr (F == Function::hard_swish) v = v * (minimum(maximum(v + c.offset, zero), f32x8(c.threshold)) * c.inverse_scale);
  if constexpr (F == Function::residual) v = v + load<f32x8>(residual);
  if constexpr (S == Store::fp32) {
    if constexpr (F == Function::linear || F == Function::by_row) v = maximum(v, f32x8(c.floor));
    store(out, v);
  } else {
    store_rounded(v * c.calib, c.low, out);  // relu is c.low
  }
  if (second != nullptr) store_rounded(v * c.second_calib, c.low, second);
}

template <Function F, Store S> struct FixedForm {};

// Calls body with the form as a type, so that what it does has no branches. Sums are no form to finish; bounds shorten no rounding.
template <class Body> inline void with_form(const Form& form, const Body& body) {
  switch (form.function) {
    case Function::linear:
      if (form.store == Store::fp32) return body(FixedForm<Function::linear, Store::fp32>());
      return body(FixedForm<Function::linear, Store::calib>());
    case Function::hard_swish:
      if (form.store == Store::fp32) return body(FixedForm<Function::hard_swish, Store::fp32>());
      return body(FixedForm<Function::hard_swish, Store::calib>());
    case Function::residual:
      if (form.store == Store::fp32) return body(FixedForm<Function::residual, Store::fp32>());
      return body(FixedForm<Function::residual, Store::calib>());
    case Function::by_row: return body(FixedForm<Function::by_row, Store::fp32>());
  }
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86
