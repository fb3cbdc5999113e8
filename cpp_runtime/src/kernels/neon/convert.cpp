#include "kernels/neon/convert.h"

namespace edgeocr::kernels::neon {

void widen(const Half* in, int64_t n, float* out) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const float16x8_t v = vld1q_f16(in + i);
    vst1q_f32(out + i, vcvt_f32_f16(vget_low_f16(v)));
    vst1q_f32(out + i + 4, vcvt_high_f32_f16(v));
  }
  for (; i < n; i++) out[i] = static_cast<float>(in[i]);
}

void narrow(const float* in, int64_t n, Half* out) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) vst1q_f16(out + i, vcvt_high_f16_f32(vcvt_f16_f32(vld1q_f32(in + i)), vld1q_f32(in + i + 4)));
  for (; i < n; i++) out[i] = static_cast<Half>(in[i]);
}

}  // namespace edgeocr::kernels::neon
