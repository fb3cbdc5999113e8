// Rows of pixels times packed columns: a register tile of pixels by one to three vectors of columns, k innermost and in order.
#include "kernels/x86/inner_isa.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

// N vectors of columns; of the last one only the first kLanes count if it is Partial.
template <class V, int N, bool Partial> struct Columns {
  static constexpr int64_t kStep = sizeof(V) / sizeof(float), kCount = N * kStep - (Partial ? kLanes : 0);

  static V load_vector(const float* p, int n) {
    if constexpr (Partial)
      if (n == N - 1)
        return __builtin_shufflevector(load<f32x8>(p + kStep * n), f32x8(0.0f), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return load<V>(p + kStep * n);
  }
  static void store_vector(float* p, int n, V v) {
    if constexpr (Partial)
      if (n == N - 1) return store(p + kStep * n, __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7));
    store(p + kStep * n, v);
  }
};

// Pixels of a tile with N vectors of columns, as many as the compiler keeps in the level's registers beside the weights.
#if defined(__AVX512VL__)
template <int N> constexpr int kPixels = N == 1 ? 12 : 8;
#else
template <int N> constexpr int kPixels = N == 3 ? 3 : N == 2 ? 6 : 8;
#endif

// Sums of products of one segment; Kept of every four values have weights.
template <class C, int P, int N, class V, int Kept>
inline void add_products(V (&sum)[P][N], const float* x, ptrdiff_t step, int64_t k, const float*& weights) {
  const float* w = weights;
  for (int64_t i = 0; i < k; i += 4)
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Kept; lane++, w += C::kCount) {
      V columns[N];
#pragma clang loop unroll(full)
      for (int n = 0; n < N; n++) columns[n] = C::load_vector(w, n);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) {
        const V value = x[p * step + i + lane];
#pragma clang loop unroll(full)
        for (int n = 0; n < N; n++) sum[p][n] = multiply_add(sum[p][n], columns[n], value);
      }
    }
  weights = w;
}

template <class C, FormF32::Act A, int P, int N, class V>
inline void finish(const V (&sum)[P][N], const RowF32& row, int64_t first, int64_t column, bool residual, const ConstantsF32& c) {
  float* out = row.out + first * row.out_step + column;
#pragma clang loop unroll(full)
  for (int n = 0; n < N; n++) {
    const V bias = C::load_vector(c.bias + column, n);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      V y = activate_sum<A>(sum[p][n] + bias, c);
      if (residual) y += C::load_vector(row.residual + ((row.first + first + p) >> row.residual_shift) * row.residual_step + column, n);
      C::store_vector(out + p * row.out_step, n, y);
    }
  }
}

template <class C, int P, int N, class V>
inline void run_tile(const RowF32& row, int64_t first, const GemmTileF32& tile, const FormF32& form, const ConstantsF32& c) {
  V sum[P][N] = {};
  if (row.start != nullptr) {
    const float* start = row.start + first * row.start_step + tile.column;
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
      for (int n = 0; n < N; n++) sum[p][n] = C::load_vector(start + p * row.start_step, n);
  }
  const float* w = tile.weights;
  for (int s = 0; s < tile.segments; s++) {
    const float* x = row.segments[s] + first * row.pixel_step;
    if (tile.rgb) add_products<C, P, N, V, 3>(sum, x, row.pixel_step, tile.k, w);
    else add_products<C, P, N, V, 4>(sum, x, row.pixel_step, tile.k, w);
  }
  using Act = FormF32::Act;
  switch (form.act) {
    case Act::none: return finish<C, Act::none>(sum, row, first, tile.column, form.residual, c);
    case Act::relu: return finish<C, Act::relu>(sum, row, first, tile.column, form.residual, c);
    case Act::hard_swish: return finish<C, Act::hard_swish>(sum, row, first, tile.column, form.residual, c);
  }
}

// The last tile is moved back so that it ends with the row.
template <int P, class V, int N, bool Partial>
void run_row(const RowF32& row, const GemmTileF32& tile, const FormF32& form, const ConstantsF32& c) {
  for (int64_t m = 0; m < row.pixels; m += P)
    run_tile<Columns<V, N, Partial>, P, N, V>(row, m + P <= row.pixels ? m : row.pixels - P, tile, form, c);
}

template <class V, int N, bool Partial = false>
void run(const RowF32& row, const GemmTileF32& tile, const FormF32& form, const ConstantsF32& c) {
  constexpr int kFew = 4;
  if (row.pixels >= kPixels<N>) return run_row<kPixels<N>, V, N, Partial>(row, tile, form, c);
  if (row.pixels >= kFew) return run_row<kFew, V, N, Partial>(row, tile, form, c);
  run_row<1, V, N, Partial>(row, tile, form, c);
}

}  // namespace

GemmFunctionF32 gemm_f32(int64_t columns) {
  switch (columns / kLanes) {
    case 1: return run<f32x8, 1>;
#if defined(__AVX512F__)
    case 2: return run<f32xw, 1>;
    case 3: return run<f32xw, 2, true>;
    case 4: return run<f32xw, 2>;
    case 5: return run<f32xw, 3, true>;
    case 6: return run<f32xw, 3>;
#else
    case 2: return run<f32x8, 2>;
    case 3: return run<f32x8, 3>;
#endif
    default: return run_row<1, f32xw, kGemmSingleVectors, false>;
  }
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86
