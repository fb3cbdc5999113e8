// Rows of pixels times packed columns in int8: a register tile of pixels by one to three vectors of columns.
#if defined(__AVX512VNNI__)

#include "kernels/x86/inner_requantise.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

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
inline void finish_tile(const __m256i (&sum)[P][V], const GemmRowI8& row, int64_t first, int64_t column, const ConstantsI8& c,
                        std::byte* out) {
  constexpr ptrdiff_t kBytes = kLanes * (S == Store::fp32 ? 4 : 1);
#pragma clang loop unroll(full)
  for (int v = 0; v < V; v++) {
    const f32x8 scale = load<f32x8>(c.scale + column + kLanes * v), bias = load<f32x8>(c.bias + column + kLanes * v);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      const float* residual = nullptr;
      if constexpr (F == Function::residual)
        residual = row.residual + ((first + p) >> row.residual_shift) * row.residual_step + column + kLanes * v;
      finish<F, S>(requantise(sum[p][v], scale, bias), residual, c, out + p * row.out_step + v * kBytes);
    }
  }
}

template <int P, int V>
inline void run_tile(const GemmRowI8& row, int64_t first, const GemmTileI8& tile, const FormI8& form, const ConstantsI8& c) {
  __m256i sum[P][V];
  const int32_t* start = row.start == nullptr ? tile.start : row.start + first * row.start_step + tile.column;
  const ptrdiff_t start_step = row.start == nullptr ? 0 : row.start_step;
#pragma clang loop unroll(full)
  for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) sum[p][v] = load<__m256i>(start + p * start_step + kLanes * v);
  const int8_t* w = tile.weights;
  for (int64_t s = 0; s < tile.segments; s++) add_products(sum, row.segments[s] + first * row.pixel_step, row.pixel_step, tile.k, w);
  const bool bytes = form.store == Store::int8 || form.store == Store::calib;
  std::byte* out = row.out + first * row.out_step + tile.column * (bytes ? 1 : 4);
  if (form.store == Store::sums) return store_sums(sum, out, row.out_step);
  with_form(form, [&]<Function F, Store S>(FixedForm<F, S>) { finish_tile<P, V, F, S>(sum, row, first, tile.column, c, out); });
}

// The last tile is moved back so that it ends with the row.
template <int P, int V> void run_row(const GemmRowI8& row, const GemmTileI8& tile, const FormI8& form, const ConstantsI8& c) {
  for (int64_t m = 0; m < row.pixels; m += P) run_tile<P, V>(row, m + P <= row.pixels ? m : row.pixels - P, tile, form, c);
}

template <int V> void run(const GemmRowI8& row, const GemmTileI8& tile, const FormI8& form, const ConstantsI8& c) {
  constexpr int kFew = 4;
  if (row.pixels >= kPixels<V>) return run_row<kPixels<V>, V>(row, tile, form, c);
  if (row.pixels >= kFew) return run_row<kFew, V>(row, tile, form, c);
  run_row<1, V>(row, tile, form, c);
}

}  // namespace

GemmFunctionI8 gemm_i8(int64_t columns) {
  switch (columns / kLanes) {
    case 1: return run<1>;
    case 2: return run<2>;
    default: return run<3>;
  }
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86

#endif
