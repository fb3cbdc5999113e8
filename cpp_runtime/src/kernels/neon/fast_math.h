// exp, sigmoid and tanh of four lanes without divisions, where nothing asks for the bits of math.h.
#pragma once

#include <arm_neon.h>

#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

// What fast_exp_of_opposite adds to products, a vector each, to be loaded: a multiply-add overwrites its addend. Of e^-r for
// r in [-ln 2 / 2, ln 2 / 2] the powers 0 to 3, behind 0.041513816, within 3e-6 of itself; 1.5 * 2^23: adding it rounds to an integer,
// whose bits are then the low ones.
inline constexpr float kFastExpAddends[5][4] = {{1.0f, 1.0f, 1.0f, 1.0f},
                                                {-0.9999668f, -0.9999668f, -0.9999668f, -0.9999668f},
                                                {0.50003016f, 0.50003016f, 0.50003016f, 0.50003016f},
                                                {-0.16787498f, -0.16787498f, -0.16787498f, -0.16787498f},
                                                {12582912.0f, 12582912.0f, 12582912.0f, 12582912.0f}};

// e^-x, x brought within [-87, 87], relative error 4e-6: -x = n ln 2 - r, a polynomial of r, n to the exponent.
[[gnu::always_inline]] inline float32x4_t fast_exp_of_opposite(float32x4_t x) {
  const float* addends = unknown_address(kFastExpAddends[0]);
  x = vminq_f32(vmaxq_f32(x, vdupq_n_f32(-87.0f)), vdupq_n_f32(87.0f));
  const float32x4_t shifted = vfmsq_f32(vld1q_f32(addends + 16), x, vdupq_n_f32(1.44269504f));
  const float32x4_t r = vfmaq_f32(x, shifted - vdupq_n_f32(12582912.0f), vdupq_n_f32(0.69314718f));
  float32x4_t p = vfmaq_f32(vld1q_f32(addends + 12), vdupq_n_f32(0.041513816f), r);
  p = vfmaq_f32(vld1q_f32(addends + 8), p, r);
  p = vfmaq_f32(vld1q_f32(addends + 4), p, r);
  p = vfmaq_f32(vld1q_f32(addends), p, r);
  return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), vshlq_n_s32(vreinterpretq_s32_f32(shifted), 23)));
}

// 1 / d to the last bits.
[[gnu::always_inline]] inline float32x4_t fast_reciprocal(float32x4_t d) {
  float32x4_t r = vrecpeq_f32(d);
  r = vmulq_f32(r, vrecpsq_f32(d, r));
  return vmulq_f32(r, vrecpsq_f32(d, r));
}

// Absolute errors 1e-6 and 2e-6.
[[gnu::always_inline]] inline float32x4_t fast_sigmoid(float32x4_t x) {
  return fast_reciprocal(fast_exp_of_opposite(x) + vdupq_n_f32(1.0f));
}
[[gnu::always_inline]] inline float32x4_t fast_tanh(float32x4_t x) {
  const float32x4_t s = fast_sigmoid(x + x);
  return s + s - vdupq_n_f32(1.0f);
}

}  // namespace edgeocr::kernels::neon
