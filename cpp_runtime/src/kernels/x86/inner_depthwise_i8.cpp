// Depthwise int8 convolutions: a vector is eight channels times four rows, and a tap of a filter row four products of each channel.
#if defined(__AVX512VNNI__)

#include "kernels/x86/inner_requantise.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

using int8::DepthwiseFunction;
using int8::DepthwiseRow;

constexpr int64_t kChannels = 8, kQuadBytes = 32;

template <int Kernel, int Stride, int P> inline void add_taps(__m256i (&sum)[P], const DepthwiseRow& row, const int8_t* columns) {
  constexpr int kQuads = Kernel == 3 ? 1 : 2;
#pragma clang loop unroll(full)
  for (int q = 0; q < kQuads; q++)
#pragma clang loop unroll(full)
    for (int tap = 0; tap < Kernel; tap++) {
      const __m256i weight = load<__m256i>(row.weights + (q * Kernel + tap) * kQuadBytes);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++)
        sum[p] = _mm256_dpbusd_epi32(sum[p], load<__m256i>(columns + q * row.quad_step + (p * Stride + tap) * kQuadBytes), weight);
    }
}

template <int Kernel, int Stride> void run(const DepthwiseRow& row, const FinishConstants& c) {
  constexpr int P = kDepthwiseColumns;
  const __m256i start = load<__m256i>(row.start);
  const f32x8 scale = load<f32x8>(c.scale), bias = load<f32x8>(c.bias);
  with_form(row.form, [&]<Function F, Store S>(FixedForm<F, S>) {
    const int8_t* columns = row.columns;
    std::byte* out = row.out;
    for (int64_t x = 0; x < row.width; x += P, columns += P * Stride * kQuadBytes, out += P * row.out_step) {
      __m256i sum[P];
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[p] = start;
      add_taps<Kernel, Stride>(sum, row, columns);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) {
        if (x + p >= row.width) break;
        if constexpr (F != Function::residual && F != Function::by_row)
          finish<F, S>(requantise(sum[p], scale, bias), nullptr, c, out + p * row.out_step);
      }
    }
  });
}

}  // namespace

void transpose_quads(const int8_t* const (&rows)[4], ptrdiff_t step, int64_t columns, int8_t* out, bool twice, ptrdiff_t next) {
  if (twice)
    transpose_quads({rows[0] + kChannels, rows[1] + kChannels, rows[2] + kChannels, rows[3] + kChannels}, step, columns, out + next, false,
                    0);
  const __m128i top_bits = _mm_set1_epi8(INT8_MIN);
  for (int64_t x = 0; x < columns; x++, out += kQuadBytes) {
    const ptrdiff_t at = x * step;
    const __m128i a = _mm_cvtsi64_si128(load<int64_t>(rows[0] + at)), b = _mm_cvtsi64_si128(load<int64_t>(rows[1] + at));
    const __m128i c = _mm_cvtsi64_si128(load<int64_t>(rows[2] + at)), d = _mm_cvtsi64_si128(load<int64_t>(rows[3] + at));
    const __m128i ab = _mm_xor_si128(_mm_unpacklo_epi8(a, b), top_bits), cd = _mm_xor_si128(_mm_unpacklo_epi8(c, d), top_bits);
    store(out, _mm_unpacklo_epi16(ab, cd));
    store(out + 16, _mm_unpackhi_epi16(ab, cd));
  }
}

DepthwiseFunction depthwise_i8(int64_t kernel, int64_t stride, int64_t, const Form&) {
  if (kernel == 3) return stride == 1 ? run<3, 1> : run<3, 2>;
  return stride == 1 ? run<5, 1> : run<5, 2>;
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86

#endif
