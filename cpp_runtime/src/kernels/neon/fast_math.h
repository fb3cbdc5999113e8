// exp, sigmoid and tanh of four lanes without divisions, where nothing asks for the bits of math.h.
#pragma once

#include <arm_neon.h>

namespace edgeocr::kernels::neon {

// e^x for x in [-87, 87], relative error 4e-6: x = n ln 2 + r, a polynomial of r, n to the exponent.
[[gnu::always_inline]] inline float32x4_t fast_exp(float32x4_t x) {
  const float32x4_t round = vdupq_n_f32(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer, whose bits are then the low ones
  const float32x4_t shifted = vfmaq_f32(round, x, vdupq_n_f32(1.44269504f));
  const float32x4_t r = vfmsq_f32(x, shifted - round, vdupq_n_f32(0.69314718f));
  float32x4_t p = vfmaq_f32(vdupq_n_f32(4.1666667e-2f), vdupq_n_f32(8.3333333e-3f), r);
  p = vfmaq_f32(vdupq_n_f32(1.6666667e-1f), p, r);
  p = vfmaq_f32(vdupq_n_f32(0.5f), p, r);
  p = vfmaq_f32(vdupq_n_f32(1.0f), p, r);
  p = vfmaq_f32(vdupq_n_f32(1.0f), p, r);
  return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), vshlq_n_s32(vreinterpretq_s32_f32(shifted), 23)));
}

// e^-x, x brought within its bounds.
[[gnu::always_inline]] inline float32x4_t fast_exp_of_opposite(float32x4_t x) {
  const float32x4_t bound = vdupq_n_f32(87.0f);
  return fast_exp(vminq_f32(vmaxq_f32(-x, -bound), bound));
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
