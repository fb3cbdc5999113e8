#include "kernels/neon/fast_sigmoid.h"

#include "kernels/math.h"
#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

namespace {

// e^x for x in [-87, 87], relative error 4e-6: x = n ln 2 + r, a polynomial of r, n to the exponent.
[[gnu::always_inline]] inline float32x4_t exponential(float32x4_t x) {
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

[[gnu::always_inline]] inline float32x4_t reciprocal(float32x4_t d) {
  float32x4_t r = vrecpeq_f32(d);
  r = vmulq_f32(r, vrecpsq_f32(d, r));
  return vmulq_f32(r, vrecpsq_f32(d, r));
}

}  // namespace

void fast_sigmoid(float* y, int64_t n) {
  const float32x4_t bound = vdupq_n_f32(87.0f), one = vdupq_n_f32(1.0f);
  int64_t i = 0;
  constexpr int kVectors = 6;  // side by side: one alone would wait for its own results
  for (; i + 4 * kVectors <= n; i += 4 * kVectors) {
    float32x4_t e[kVectors];
    for (int j = 0; j < kVectors; j++) e[j] = exponential(vminq_f32(vmaxq_f32(-vld1q_f32(y + i + 4 * j), -bound), bound));
    for (int j = 0; j < kVectors; j++) vst1q_f32(y + i + 4 * j, reciprocal(e[j] + one));
  }
  for (; i + 4 <= n; i += 4) vst1q_f32(y + i, reciprocal(exponential(vminq_f32(vmaxq_f32(-vld1q_f32(y + i), -bound), bound)) + one));
  for (; i < n; i++) y[i] = sigmoid_f32(y[i]);
}

}  // namespace edgeocr::kernels::neon
