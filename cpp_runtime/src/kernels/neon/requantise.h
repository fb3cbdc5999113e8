// The vector forms of requant.h: from int32 sums to outputs, four channels in a register, with the same bits.
//
// Converting instructions (scvtf, fcvtas) have one pipe and take it for two cycles. Half of them are saved by sums that begin
// at the bits of a float M = 1.5 * 2^23: floats from 2^23 to 2^24 are the integers, one apart, so adding an integer to the bits
// adds it to the float, and M + sum - M is the sum, exact, by one subtraction. This needs |sum| < 2^22.
// Sums that are rounded to int8 at once begin elsewhere, where requant_steps.h has a proof for the channel.
// Scales and biases are finite, so that NaN, which requant.h sends to -127, comes from fp32 inputs only.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/dynamic_int8.h"
#include "kernels/int8/inner_loops.h"
#include "kernels/neon/convert.h"
#include "kernels/requant.h"
#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

inline constexpr float kSumStart = 12582912.0f;
// As many as the vectors of a pixel have, so that each is loaded (unknown_address()) from a place of its own.
inline constexpr int kMostVectors = 6;
struct RoundingStarts {
  alignas(16) float values[4 * kMostVectors];
  constexpr RoundingStarts() : values() {
    for (float& v : values) v = kSumStart;
  }
};
inline constexpr RoundingStarts kRoundingStarts;
inline constexpr int32_t kSumStartBits = 0x4B400000;
inline constexpr auto kSumLimit = static_cast<int64_t>(int8::kNarrow);

using int8::FinishConstants;
using int8::Form;
using int8::Function;
using int8::Store;
using int8::stores_int8;

// requantise(). Biased: the sum began at kSumStartBits.
template <bool Biased> [[gnu::always_inline]] inline float32x4_t requantise(int32x4_t sum, float32x4_t scale, const float* bias) {
  const float32x4_t exact = Biased ? vsubq_f32(vreinterpretq_f32_s32(sum), vdupq_n_f32(kSumStart)) : vcvtq_f32_s32(sum);
  return vfmaq_f32(vld1q_f32(bias), exact, scale);
}

[[gnu::always_inline]] inline float32x4_t hard_swish(float32x4_t v, const FinishConstants& c) {
  const float32x4_t clipped = vminq_f32(vmaxq_f32(vaddq_f32(v, vdupq_n_f32(c.offset)), vdupq_n_f32(0)), vdupq_n_f32(c.threshold));
  return vmulq_f32(v, vmulq_f32(clipped, vdupq_n_f32(c.inverse_scale)));
}

// Of finished values, for forms that store int8: half away from zero, saturated to 16 bits; low halves alone where they are all.
template <Store S> [[gnu::always_inline]] inline int16x8_t to_int16(float32x4_t a, float32x4_t b) {
  if constexpr (S == Store::steps) return vuzp1q_s16(vreinterpretq_s16_f32(a), vreinterpretq_s16_f32(b));
  const int32x4_t c = vcvtaq_s32_f32(a), d = vcvtaq_s32_f32(b);
  if constexpr (S == Store::bounded_calib) return vuzp1q_s16(vreinterpretq_s16_s32(c), vreinterpretq_s16_s32(d));
  return vqmovn_high_s32(vqmovn_s32(c), d);
}

template <Store S> [[gnu::always_inline]] inline int8x8_t to_int8(float32x4_t a, float32x4_t b, int8_t low) {
  return vmax_s8(vqmovn_s16(to_int16<S>(a, b)), vdup_n_s8(low));
}
template <Store S> [[gnu::always_inline]] inline int8x16_t to_int8(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d, int8_t low) {
  return vmaxq_s8(vqmovn_high_s16(vqmovn_s16(to_int16<S>(a, b)), to_int16<S>(c, d)), vdupq_n_s8(low));
}

// One step of four channels: a float near 1.5 * 2^23 whose low half is the result.
template <Function F>
[[gnu::always_inline]] inline float32x4_t step(int32x4_t sum, float32x4_t scale, const float* offset, const FinishConstants& c) {
  static_assert(F != Function::residual);
  const float32x4_t z = vfmaq_f32(vld1q_f32(offset), vreinterpretq_f32_s32(sum), scale);
  if constexpr (F == Function::linear) return z;
  const float32x4_t clipped = vminq_f32(vmaxq_f32(vaddq_f32(z, vdupq_n_f32(c.offset)), vdupq_n_f32(0)), vdupq_n_f32(c.threshold));
  return vfmaq_f32(vld1q_f32(unknown_address(kRoundingStarts.values)), z, clipped);
}

// hard_swish of eight channels by the short steps, whole numbers. scale, offset: of these channels.
[[gnu::always_inline]] inline int16x8_t short_step(int32x4_t a, int32x4_t b, const float* scale, const float* offset,
                                                   const FinishConstants& c) {
  const int16x8_t bend = vdupq_n_s16(static_cast<int16_t>(c.offset)), top = vdupq_n_s16(static_cast<int16_t>(c.threshold));
  const float32x4_t first = vfmaq_f32(vld1q_f32(offset), vreinterpretq_f32_s32(a), vld1q_f32(scale));
  const float32x4_t second = vfmaq_f32(vld1q_f32(offset + 4), vreinterpretq_f32_s32(b), vld1q_f32(scale + 4));
  const int16x8_t z = to_int16<Store::steps>(first, second);
  return vqrdmulhq_s16(z, vminq_s16(vmaxq_s16(vqaddq_s16(z, bend), vdupq_n_s16(0)), top));
}

// NaN to -127; changes nothing else that a rounding to int8 tells apart.
[[gnu::always_inline]] inline float32x4_t without_nan(float32x4_t v) { return vmaxnmq_f32(v, vdupq_n_f32(-127)); }

// Everything between a requantised value and its store. residual: of the same four channels.
template <Form F> [[gnu::always_inline]] inline float32x4_t finish(float32x4_t v, const float* residual, const FinishConstants& c) {
  if constexpr (F.function == Function::hard_swish) v = hard_swish(v, c);
  if constexpr (F.function == Function::residual) v = vaddq_f32(v, vld1q_f32(residual));
  if constexpr (F.function == Function::by_row || (F.function == Function::linear && !stores_int8(F.store)))
    v = vmaxq_f32(v, vdupq_n_f32(c.floor));
  // relu before a rounding is c.low
  if constexpr (!F.fast && (F.store == Store::calib || F.store == Store::bounded_calib) && !F.second)
    v = vmulq_f32(v, vdupq_n_f32(c.calib));
  if constexpr (F.store == Store::calib && F.function == Function::residual) v = without_nan(v);
  return v;
}

// 4 * Vectors finished channels of one pixel.
template <Form F, int Vectors> [[gnu::always_inline]] inline void store(const float32x4_t (&v)[Vectors], std::byte* out, int8_t low) {
  static_assert(Vectors % 2 == 0);
  if constexpr (F.store == Store::fp32) {
#pragma clang loop unroll(full)
    for (int i = 0; i < Vectors; i++) vst1q_f32(reinterpret_cast<float*>(out) + 4 * i, v[i]);
  } else if constexpr (F.store == Store::fp16) {
#pragma clang loop unroll(full)
    for (int i = 0; i < Vectors; i += 2) vst1q_f16(reinterpret_cast<Half*>(out) + 4 * i, narrowed(v[i], v[i + 1]));
  } else {
    auto* bytes = reinterpret_cast<int8_t*>(out);
#pragma clang loop unroll(full)
    for (int i = 0; i + 3 < Vectors; i += 4) vst1q_s8(bytes + 4 * i, to_int8<F.store>(v[i], v[i + 1], v[i + 2], v[i + 3], low));
    if constexpr (Vectors % 4 == 2) vst1_s8(bytes + 4 * (Vectors - 2), to_int8<F.store>(v[Vectors - 2], v[Vectors - 1], low));
  }
}

// The same of bounded values that are not multiplied by `calib` yet. Fast: by a multiply-add that rounds, halves to even.
template <bool Fast, int Vectors>
[[gnu::always_inline]] inline void store_scaled(const float32x4_t (&v)[Vectors], float calib, int8_t* out, int8_t low) {
  static_assert(Vectors <= kMostVectors);
  const float* starts = unknown_address(kRoundingStarts.values);
  float32x4_t scaled[Vectors];
#pragma clang loop unroll(full)
  for (int i = 0; i < Vectors; i++)
    scaled[i] = Fast ? vfmaq_f32(vld1q_f32(starts + 4 * i), v[i], vdupq_n_f32(calib)) : vmulq_f32(v[i], vdupq_n_f32(calib));
  store<Form{Function::linear, Fast ? Store::steps : Store::bounded_calib}>(scaled, reinterpret_cast<std::byte*>(out), low);
}

template <int Halves> [[gnu::always_inline]] inline void store_narrowed(const int16x8_t (&v)[Halves], int8_t* out) {
#pragma clang loop unroll(full)
  for (int i = 0; i + 1 < Halves; i += 2) vst1q_s8(out + 8 * i, vqmovn_high_s16(vqmovn_s16(v[i]), v[i + 1]));
  if constexpr (Halves % 2 == 1) vst1_s8(out + 8 * (Halves - 1), vqmovn_s16(v[Halves - 1]));
}

// quantise() of n values. S: calib or, if that is known of them, bounded_calib.
template <Store S = Store::calib> inline void quantise(const float* in, float inverse_scale, int64_t n, int8_t* out) {
  const float32x4_t scale = vdupq_n_f32(inverse_scale);
  const auto scaled = [&](const float* from) __attribute__((always_inline)) {
    const float32x4_t v = vmulq_f32(vld1q_f32(from), scale);
    return S == Store::bounded_calib ? v : without_nan(v);
  };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    vst1q_s8(out + i, to_int8<S>(scaled(in + i), scaled(in + i + 4), scaled(in + i + 8), scaled(in + i + 12), -127));
  if (i + 8 <= n) {
    vst1_s8(out + i, to_int8<S>(scaled(in + i), scaled(in + i + 4), -127));
    i += 8;
  }
  for (; i < n; i++) out[i] = kernels::quantise(in[i], inverse_scale);
}

// In one rounding, halves to even; NaN to -127 here as well.
inline void quantise_fast(const float* in, float inverse_scale, int64_t n, int8_t* out) {
  const float32x4_t scale = vdupq_n_f32(inverse_scale), limit = vdupq_n_f32(127 / inverse_scale);
  const auto rounded = [&](const float* from, const float* start) __attribute__((always_inline)) {
    const float32x4_t clipped = vminq_f32(vmaxnmq_f32(vld1q_f32(from), vnegq_f32(limit)), limit);
    return vreinterpretq_s16_f32(vfmaq_f32(vld1q_f32(start), clipped, scale));
  };
  // Low bytes of low halves: what is clipped needs no saturation.
  const auto sixteen = [&](const float* from) __attribute__((always_inline)) {
    const float* starts = unknown_address(kRoundingStarts.values);
    const int16x8_t low = vuzp1q_s16(rounded(from, starts), rounded(from + 4, starts + 4));
    const int16x8_t high = vuzp1q_s16(rounded(from + 8, starts + 8), rounded(from + 12, starts + 12));
    return vuzp1q_s8(vreinterpretq_s8_s16(low), vreinterpretq_s8_s16(high));
  };
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const int8x16_t first = sixteen(in + i), second = sixteen(in + i + 16);
    vst1q_s8(out + i, first);
    vst1q_s8(out + i + 16, second);
  }
  if (i + 16 <= n) {
    vst1q_s8(out + i, sixteen(in + i));
    i += 16;
  }
  if (i == n) return;
  float rest[16] = {};
  for (int64_t j = i; j < n; j++) rest[j - i] = in[j];
  int8_t bytes[16];
  vst1q_s8(bytes, sixteen(rest));
  for (int64_t j = i; j < n; j++) out[j] = bytes[j - i];
}

// As dynamic_int8.h has it: the maximum of numbers takes the other of a NaN.
inline float largest_magnitude(const float* values, int64_t n) {
  constexpr int kVectors = 4;
  float32x4_t largest[kVectors] = {};
  int64_t i = 0;
  for (; i + 4 * kVectors <= n; i += 4 * kVectors)
#pragma clang loop unroll(full)
    for (int v = 0; v < kVectors; v++) largest[v] = vmaxnmq_f32(largest[v], vabsq_f32(vld1q_f32(values + i + 4 * v)));
  const float first = vmaxvq_f32(vmaxq_f32(vmaxq_f32(largest[0], largest[1]), vmaxq_f32(largest[2], largest[3])));
  const float rest = kernels::largest_magnitude(values + i, n - i);
  return rest > first ? rest : first;
}

}  // namespace edgeocr::kernels::neon
