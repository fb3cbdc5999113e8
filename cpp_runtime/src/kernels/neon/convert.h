// Between fp16 and fp32.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/kernel.h"
#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

// One vector, as fp32.
[[gnu::always_inline]] inline void store_wide(float* out, float32x4_t v) { vst1q_f32(out, v); }
[[gnu::always_inline]] inline void store_wide(float* out, float16x8_t v) {
  vst1q_f32(out, vcvt_f32_f16(vget_low_f16(v)));
  vst1q_f32(out + 4, vcvt_high_f32_f16(v));
}

// Two vectors as one, rounded to nearest even.
[[gnu::always_inline]] inline float16x8_t narrowed(float32x4_t low, float32x4_t high) { return vcvt_high_f16_f32(vcvt_f16_f32(low), high); }

void widen(const Half* in, int64_t n, float* out);
inline void widen(const float* in, int64_t n, float* out) { std::copy_n(in, n, out); }
void narrow(const float* in, int64_t n, Half* out);

// A tensor in the other of the two types, rounded to nearest even: views of one shape; lanes beyond the channels of a map become zero.
void convert(const RunContext& context, const TensorView& in, const TensorView& out);

}  // namespace edgeocr::kernels::neon
