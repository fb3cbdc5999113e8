// exp, sigmoid and tanh in plain IEEE operations: the same bits on every machine, whatever its C library, and loops over
// them vectorise. No fused multiply-add, so that levels without it agree too.
// Errors over all finite inputs (kernel_math_test): exp 1e-7 relative, sigmoid 2e-7; tanh 1e-7 absolute and 2e-7 relative.
#pragma once

#include <cstdint>

#ifndef EDGEOCR_ISA
#define EDGEOCR_ISA baseline
#endif

namespace edgeocr::kernels {
inline namespace EDGEOCR_ISA {

// x = n ln2 + r, |r| <= ln2 / 2; ln2 in two parts, the first with few enough bits that n times it is exact.
inline float exp_f32(float x) {
  constexpr float kLowest = -87.33654f, kHighest = 88.72283f;
  constexpr float kLog2e = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, whose bits are then the low ones
  float v = x > kLowest ? x : kLowest;
  v = v < kHighest ? v : kHighest;
  const float shifted = v * kLog2e + kRound;
  const float n = shifted - kRound;
  const float r = (v - n * kLn2High) - n * kLn2Low;
  // (e^r - 1 - r) / r^2
  float p = 1.98412698e-4f;
  p = p * r + 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  const float e = 1.0f + (r + (r * r) * p);
  const uint32_t bits = __builtin_bit_cast(uint32_t, e) + (__builtin_bit_cast(uint32_t, shifted) << 23);
  const float result = __builtin_bit_cast(float, bits);
  const float bounded = x < kLowest ? 0.0f : x > kHighest ? __builtin_inff() : result;
  return x != x ? x : bounded;
}

inline float sigmoid_f32(float x) { return 1.0f / (1.0f + exp_f32(-x)); }

// Near zero an odd polynomial (1 - 2 / (e^2x + 1) would cancel), elsewhere by exp.
inline float tanh_f32(float x) {
  const float a = x < 0.0f ? -x : x;
  const float s = x * x;
  float p = -5.70498872745e-3f;
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  const float small = x + x * s * p;
  const float far = 1.0f - 2.0f / (exp_f32(a + a) + 1.0f);
  const float large = x < 0.0f ? -far : far;
  const float result = a < 0.625f ? small : large;
  return x != x ? x : result;
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels
