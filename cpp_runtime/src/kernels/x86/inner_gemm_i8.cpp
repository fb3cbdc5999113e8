// Rows of pixels times packed columns in int8: a register tile of pixels by one to three vectors of columns.
//
// The instruction (vpdpbusd) multiplies unsigned by signed bytes. Inputs become unsigned on their way in by turning their top bit,
// which adds 128; 128 times the sum of its weights is taken from where a channel's sums begin (int8_set.cpp). Sums are exact in any order.
#if defined(__AVX512VNNI__)

#include "kernels/x86/inner_requantise.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

using int8::GemmFunction;
using int8::GemmRow;
using int8::GemmTile;

template <int V> constexpr int kPixels = V == 3 ? 8 : V == 2 ? 6 : 12;

template <int P, int V> inline void add_products(__m256i (&sum)[P][V], const int8_t* x, ptrdiff_t step, int64_t k, const int8_t*& weights) {
  const __m256i top_bits = _mm256_set1_epi8(INT8_MIN);
  const int8_t* w = weights;
  for (int64_t i = 0; i < k; i += 4, w += 4 * kLanes * V) {
    __m256i columns[V];
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) columns[v] = load<__m256i>(w + 4 * kLanes * v);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      const __m256i values = _mm256_xor_si256(_mm256_set1_epi32(load<int32_t>(x + p * step + i)), top_bits);
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[p][v] = _mm256_dpbusd_epi32(sum[p][v], values, columns[v]);
    }
  }
  weights = w;
}

template <int P, int V> inline void store_sums(const __m256i (&sum)[P][V], std::byte* out, ptrdiff_t step) {
#pragma clang loop unroll(full)
  for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) store(out + p * step + v * 32, sum[p][v]);
}

template <int P, int V, Function F, Store S>
inline void finish_tile(const __m256i (&sum)[P][V], const GemmRow& row, int64_t first, const FinishConstants& c, std::byte* out) {
  constexpr ptrdiff_t kBytes = kLanes * (S == Store::fp32 ? 4 : 1);
#pragma clang loop unroll(full)
  for (int v = 0; v < V; v++) {
    const f32x8 scale = load<f32x8>(c.scale + kLanes * v), bias = load<f32x8>(c.bias + kLanes * v);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      const float* residual = nullptr;
      if constexpr (F == Function::residual) residual = row.residual + ((first + p) >> row.residual_shift) * row.residual_step + kLanes * v;
      f32x8 factors = scale;
      if constexpr (F == Function::by_row) factors = factors * row.scale[(first + p) * row.scale_step];
      int8_t* second = row.second == nullptr ? nullptr : row.second + (first + p) * row.second_step + kLanes * v;
      finish<F, S>(requantise(sum[p][v], factors, bias), residual, c, out + p * row.out_step + v * kBytes, second);
    }
  }
}

template <int P, int V> inline void run_tile(const GemmRow& row, int64_t first, const GemmTile& tile, const FinishConstants& c) {
  __m256i sum[P][V];
  const int32_t* start = row.start + first * row.start_step;
#pragma clang loop unroll(full)
  for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) sum[p][v] = load<__m256i>(start + p * row.start_step + kLanes * v);
  const int8_t* w = tile.weights;
  for (int64_t s = 0; s < tile.segments; s++) add_products(sum, row.segments[s] + first * row.pixel_step, row.pixel_step, tile.k, w);
  std::byte* out = row.out + first * row.out_step;
  if (tile.form.store == Store::sums) return store_sums(sum, out, row.out_step);
  with_form(tile.form, [&]<Function F, Store S>(FixedForm<F, S>) { finish_tile<P, V, F, S>(sum, row, first, c, out); });
}

// The last tile is moved back so that it ends with the row.
template <int P, int V> void run_row(const GemmRow& row, const GemmTile& tile, const FinishConstants& c) {
  for (int64_t m = 0; m < row.pixels; m += P) run_tile<P, V>(row, m + P <= row.pixels ? m : row.pixels - P, tile, c);
}

template <int V> void run(const GemmRow& row, const GemmTile& tile, const FinishConstants& c) {
  constexpr int kFew = 4;
  if (row.pixels >= kPixels<V>) return run_row<kPixels<V>, V>(row, tile, c);
  if (row.pixels >= kFew) return run_row<kFew, V>(row, tile, c);
  run_row<1, V>(row, tile, c);
}

}  // namespace

GemmFunction gemm_i8(int64_t columns, int64_t, int64_t, const Form&) {
  switch (columns / kLanes) {
    case 1: return run<1>;
    case 2: return run<2>;
    default: return run<3>;
  }
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86

#endif
