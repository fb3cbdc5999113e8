// Softmax of one row in the parts that its readers need, with the bits of the plain loop: eight partial sums, element i in the
// (i mod 8)th.
#pragma once

#include <arm_neon.h>

#include <algorithm>
#include <cstdint>

#include "kernels/math.h"
#include "kernels/neon/math_f32.h"

namespace edgeocr::kernels::neon {

// NaN where any value is; n >= 1.
inline float largest_of(const float* in, int64_t n) {
  float32x4_t lanes[4];
  for (float32x4_t& v : lanes) v = vdupq_n_f32(in[0]);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int k = 0; k < 4; k++) lanes[k] = vmaxq_f32(lanes[k], vld1q_f32(in + i + 4 * k));
  for (; i < n; i++) lanes[0] = vmaxq_f32(lanes[0], vdupq_n_f32(in[i]));
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(lanes[0], lanes[1]), vmaxq_f32(lanes[2], lanes[3])));
}

// Sum over e^(in[i] - highest), which are also stored unless out is null. `highest` is finite and the largest of the values.
template <bool Stores> inline float sum_of_exponentials(const float* in, int64_t n, float highest, float* out) {
  const float32x4_t shift = vdupq_n_f32(highest);
  float32x4_t low = vdupq_n_f32(0), high = low;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const float32x4_t a = exp_of_negative(vsubq_f32(vld1q_f32(in + i), shift));
    const float32x4_t b = exp_of_negative(vsubq_f32(vld1q_f32(in + i + 4), shift));
    if constexpr (Stores) {
      vst1q_f32(out + i, a);
      vst1q_f32(out + i + 4, b);
    }
    low = vaddq_f32(low, a);
    high = vaddq_f32(high, b);
  }
  float lanes[8];
  vst1q_f32(lanes, low);
  vst1q_f32(lanes + 4, high);
  for (int lane = 0; i < n; i++, lane++) {
    const float e = exp_f32(in[i] - highest);
    if constexpr (Stores) out[i] = e;
    lanes[lane] += e;
  }
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

}  // namespace edgeocr::kernels::neon
