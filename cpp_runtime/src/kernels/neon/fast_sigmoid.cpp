#include "kernels/neon/fast_sigmoid.h"

#include <algorithm>

#include "kernels/math.h"
#include "kernels/neon/convert.h"
#include "kernels/neon/fast_math.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int kVectors = 8;  // side by side: fewer would wait for their own results

// Eight values.
[[gnu::always_inline]] inline void load_wide(const float* x, float32x4_t (&to)[2]) {
  to[0] = vld1q_f32(x);
  to[1] = vld1q_f32(x + 4);
}
[[gnu::always_inline]] inline void load_wide(const Half* x, float32x4_t (&to)[2]) {
  const float16x8_t v = vld1q_f16(x);
  to[0] = vcvt_f32_f16(vget_low_f16(v));
  to[1] = vcvt_high_f32_f16(v);
}

template <int Vectors, class T> [[gnu::always_inline]] inline void compute(const T* x, float* y) {
  float32x4_t v[Vectors][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < Vectors; i++) load_wide(x + 8 * i, v[i]);
#pragma clang loop unroll(full)
  for (int i = 0; i < 2 * Vectors; i++) v[i / 2][i % 2] = fast_exp_of_opposite(v[i / 2][i % 2]);
#pragma clang loop unroll(full)
  for (int i = 0; i < 2 * Vectors; i++) vst1q_f32(y + 4 * i, fast_reciprocal(v[i / 2][i % 2] + vdupq_n_f32(1.0f)));
}

template <class T> void compute_all(const T* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + 4 * kVectors <= n; i += 4 * kVectors) compute<kVectors / 2>(x + i, y + i);
  for (; i + 8 <= n; i += 8) compute<1>(x + i, y + i);
  for (; i < n; i++) y[i] = sigmoid_f32(x[i]);
}

// fast_exp_of_opposite's addends for fp16: the powers 0 to 2 of e^-r behind -0.167, 1.5 * 2^10.
constexpr Half kHalfAddends[4][8] = {{1, 1, 1, 1, 1, 1, 1, 1},
                                     {-1, -1, -1, -1, -1, -1, -1, -1},
                                     {.5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f},
                                     {1536, 1536, 1536, 1536, 1536, 1536, 1536, 1536}};

// Steps of all vectors in turn.
template <int Vectors> [[gnu::always_inline]] inline void compute_half(const Half* in, float* y) {
  float16x8_t x[Vectors], p[Vectors];
  int16x8_t powers[Vectors];
  const auto each = [](const auto& body) __attribute__((always_inline)) {
#pragma clang loop unroll(full)
    for (int i = 0; i < Vectors; i++) body(i);
  };
  const auto constant = [](float v) __attribute__((always_inline)) { return vdupq_n_f16(static_cast<Half>(v)); };
  each([&](int i) __attribute__((always_inline)) { x[i] = vminq_f16(vmaxq_f16(vld1q_f16(in + 8 * i), constant(-10)), constant(10)); });
  each([&](int i) __attribute__((always_inline)) {
    const float16x8_t shifted = vfmsq_f16(load_again(kHalfAddends[3]), x[i], constant(1.44269504f));
    powers[i] = vshlq_n_s16(vreinterpretq_s16_f16(shifted), 10);
    x[i] = vfmaq_f16(x[i], shifted - constant(1536), constant(0.69314718f));
  });
  each([&](int i) __attribute__((always_inline)) { p[i] = vfmaq_f16(load_again(kHalfAddends[2]), constant(-0.167f), x[i]); });
  each([&](int i) __attribute__((always_inline)) { p[i] = vfmaq_f16(load_again(kHalfAddends[1]), p[i], x[i]); });
  each([&](int i) __attribute__((always_inline)) { p[i] = vfmaq_f16(load_again(kHalfAddends[0]), p[i], x[i]); });
  each([&](int i) __attribute__((always_inline)) {
    x[i] = vreinterpretq_f16_s16(vaddq_s16(vreinterpretq_s16_f16(p[i]), powers[i])) + constant(1);
  });
  each([&](int i) __attribute__((always_inline)) { p[i] = vrecpeq_f16(x[i]); });
  each([&](int i) __attribute__((always_inline)) { store_wide(y + 8 * i, p[i] * vrecpsq_f16(x[i], p[i])); });
}

}  // namespace

void fast_sigmoid(const float* x, int64_t n, float* y) { compute_all(x, n, y); }
void fast_sigmoid(const Half* x, int64_t n, float* y) { compute_all(x, n, y); }

void half_sigmoid(const Half* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + 8 * kVectors <= n; i += 8 * kVectors) compute_half<kVectors>(x + i, y + i);
  for (; i + 8 <= n; i += 8) compute_half<1>(x + i, y + i);
  if (i == n) return;
  Half rest[8] = {};
  float results[8];
  std::copy(x + i, x + n, rest);
  compute_half<1>(rest, results);
  std::copy_n(results, n - i, y + i);
}

}  // namespace edgeocr::kernels::neon
