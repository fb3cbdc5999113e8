// Rows of pixels times packed columns: a register tile of pixels by one to three vectors of columns, k innermost and in order.
#include "kernels/x86/inner_isa.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

// Pixels of a tile with V vectors of columns, as many as the compiler keeps in the level's registers beside the weights.
#if defined(__AVX512VL__)
template <int V> constexpr int kPixels = V == 3 ? 8 : V == 2 ? 6 : 12;
#else
template <int V> constexpr int kPixels = V == 3 ? 3 : V == 2 ? 6 : 8;
#endif

// Sums of products of one segment; Kept of every four values have weights.
template <int P, int V, int Kept>
inline void add_products(f32x8 (&sum)[P][V], const float* x, ptrdiff_t step, int64_t k, const float*& weights) {
  const float* w = weights;
  for (int64_t i = 0; i < k; i += 4)
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Kept; lane++, w += kLanes * V) {
      f32x8 columns[V];
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) columns[v] = load<f32x8>(w + kLanes * v);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) {
        const f32x8 value = x[p * step + i + lane];
#pragma clang loop unroll(full)
        for (int v = 0; v < V; v++) sum[p][v] = multiply_add(sum[p][v], columns[v], value);
      }
    }
  weights = w;
}

template <int P, int V, FormF32::Act A>
inline void finish(const f32x8 (&sum)[P][V], const RowF32& row, int64_t first, int64_t column, bool residual, const ConstantsF32& c) {
  float* out = row.out + first * row.out_step + column;
#pragma clang loop unroll(full)
  for (int v = 0; v < V; v++) {
    const f32x8 bias = load<f32x8>(c.bias + column + kLanes * v);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      f32x8 y = activate_sum<A>(sum[p][v] + bias, c);
      if (residual)
        y += load<f32x8>(row.residual + ((row.first + first + p) >> row.residual_shift) * row.residual_step + column + kLanes * v);
      store(out + p * row.out_step + kLanes * v, y);
    }
  }
}

template <int P, int V>
inline void run_tile(const RowF32& row, int64_t first, const GemmTileF32& tile, const FormF32& form, const ConstantsF32& c) {
  f32x8 sum[P][V] = {};
  if (row.start != nullptr) {
    const float* start = row.start + first * row.start_step + tile.column;
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[p][v] = load<f32x8>(start + p * row.start_step + kLanes * v);
  }
  const float* w = tile.weights;
  for (int s = 0; s < tile.segments; s++) {
    const float* x = row.segments[s] + first * row.pixel_step;
    if (tile.rgb) add_products<P, V, 3>(sum, x, row.pixel_step, tile.k, w);
    else add_products<P, V, 4>(sum, x, row.pixel_step, tile.k, w);
  }
  using Act = FormF32::Act;
  switch (form.act) {
    case Act::none: return finish<P, V, Act::none>(sum, row, first, tile.column, form.residual, c);
    case Act::relu: return finish<P, V, Act::relu>(sum, row, first, tile.column, form.residual, c);
    case Act::hard_swish: return finish<P, V, Act::hard_swish>(sum, row, first, tile.column, form.residual, c);
  }
}

// The last tile is moved back so that it ends with the row.
template <int P, int V> void run_row(const RowF32& row, const GemmTileF32& tile, const FormF32& form, const ConstantsF32& c) {
  for (int64_t m = 0; m < row.pixels; m += P) run_tile<P, V>(row, m + P <= row.pixels ? m : row.pixels - P, tile, form, c);
}

template <int V> void run(const RowF32& row, const GemmTileF32& tile, const FormF32& form, const ConstantsF32& c) {
  constexpr int kFew = 4;
  if (row.pixels >= kPixels<V>) return run_row<kPixels<V>, V>(row, tile, form, c);
  if (row.pixels >= kFew) return run_row<kFew, V>(row, tile, form, c);
  run_row<1, V>(row, tile, form, c);
}

}  // namespace

GemmFunctionF32 gemm_f32(int64_t columns) {
  switch (columns / kLanes) {
    case 1: return run<1>;
    case 2: return run<2>;
    case 3: return run<3>;
    default: return run_row<1, 8>;
  }
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86
