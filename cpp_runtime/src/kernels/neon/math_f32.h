// exp, sigmoid and tanh of math.h on four lanes, with its operations in its order, none fused: the same bits.
#pragma once

#include <arm_neon.h>

namespace edgeocr::kernels::neon {

inline constexpr float kExpLowest = -87.33654f, kExpHighest = 88.72283f;

// exp_f32() between the bounds; elsewhere it means nothing.
[[gnu::always_inline]] inline float32x4_t exp_within(float32x4_t x) {
  const auto constant = [](float v) __attribute__((always_inline)) { return vdupq_n_f32(v); };
  const float32x4_t shifted = vaddq_f32(vmulq_f32(x, constant(1.44269504f)), constant(12582912.0f));
  const float32x4_t n = vsubq_f32(shifted, constant(12582912.0f));
  const float32x4_t r = vsubq_f32(vsubq_f32(x, vmulq_f32(n, constant(0.693359375f))), vmulq_f32(n, constant(-2.12194440e-4f)));
  float32x4_t p = constant(1.98412698e-4f);
  p = vaddq_f32(vmulq_f32(p, r), constant(1.38888889e-3f));
  p = vaddq_f32(vmulq_f32(p, r), constant(8.33333333e-3f));
  p = vaddq_f32(vmulq_f32(p, r), constant(4.16666667e-2f));
  p = vaddq_f32(vmulq_f32(p, r), constant(1.66666667e-1f));
  p = vaddq_f32(vmulq_f32(p, r), constant(0.5f));
  const float32x4_t e = vaddq_f32(constant(1.0f), vaddq_f32(r, vmulq_f32(vmulq_f32(r, r), p)));
  const uint32x4_t exponent = vshlq_n_u32(vreinterpretq_u32_f32(shifted), 23);
  return vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(e), exponent));
}

// exp_f32() of x <= 0.
[[gnu::always_inline]] inline float32x4_t exp_of_negative(float32x4_t x) {
  const uint32x4_t normal = vcgeq_f32(x, vdupq_n_f32(kExpLowest));  // below, the result is 0
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(exp_within(x)), normal));
}

// sigmoid_f32(). Below -kExpHighest it is 1 over infinity; above -kExpLowest e^-x is too small to matter, whatever it is.
[[gnu::always_inline]] inline float32x4_t sigmoid(float32x4_t x) {
  const float32x4_t one = vdupq_n_f32(1.0f), negative = vnegq_f32(x);
  const float32x4_t bounded = vminq_f32(vmaxnmq_f32(negative, vdupq_n_f32(kExpLowest)), vdupq_n_f32(kExpHighest));
  const float32x4_t y = vdivq_f32(one, vaddq_f32(one, exp_within(bounded)));
  const uint32x4_t zero = vcgtq_f32(negative, vdupq_n_f32(kExpHighest));
  const float32x4_t result = vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(y), zero));
  return vbslq_f32(vceqq_f32(x, x), result, x);
}

// tanh_f32(). Above kExpHighest / 2 it is 1, whatever e^2x is. NaN is small.
[[gnu::always_inline]] inline float32x4_t tanh(float32x4_t x) {
  const auto constant = [](float v) __attribute__((always_inline)) { return vdupq_n_f32(v); };
  const float32x4_t a = vabsq_f32(x), s = vmulq_f32(x, x);
  float32x4_t p = constant(-5.70498872745e-3f);
  p = vaddq_f32(vmulq_f32(p, s), constant(2.06390887954e-2f));
  p = vsubq_f32(vmulq_f32(p, s), constant(5.37397155531e-2f));
  p = vaddq_f32(vmulq_f32(p, s), constant(1.33314422036e-1f));
  p = vsubq_f32(vmulq_f32(p, s), constant(3.33332819422e-1f));
  const float32x4_t small = vaddq_f32(x, vmulq_f32(vmulq_f32(x, s), p));
  const float32x4_t e = exp_within(vminq_f32(vaddq_f32(a, a), constant(kExpHighest)));
  const float32x4_t far = vsubq_f32(constant(1.0f), vdivq_f32(constant(2.0f), vaddq_f32(e, constant(1.0f))));
  const float32x4_t large = vbslq_f32(vdupq_n_u32(0x80000000u), x, far);
  return vbslq_f32(vcgeq_f32(a, constant(0.625f)), large, small);
}

}  // namespace edgeocr::kernels::neon
