#include "kernels/neon/fast_sigmoid.h"

#include "kernels/math.h"
#include "kernels/neon/fast_math.h"

namespace edgeocr::kernels::neon {

void fast_sigmoid(float* y, int64_t n) {
  int64_t i = 0;
  constexpr int kVectors = 4;  // side by side: one alone would wait for its own results
  for (; i + 4 * kVectors <= n; i += 4 * kVectors) {
    float32x4_t e[kVectors];
    for (int j = 0; j < kVectors; j++) e[j] = fast_exp_of_opposite(vld1q_f32(y + i + 4 * j));
    for (int j = 0; j < kVectors; j++) vst1q_f32(y + i + 4 * j, fast_reciprocal(e[j] + vdupq_n_f32(1.0f)));
  }
  for (; i + 4 <= n; i += 4) vst1q_f32(y + i, fast_sigmoid(vld1q_f32(y + i)));
  for (; i < n; i++) y[i] = sigmoid_f32(y[i]);
}

}  // namespace edgeocr::kernels::neon
