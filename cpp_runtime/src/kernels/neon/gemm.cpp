#include "kernels/neon/gemm.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace edgeocr::kernels::neon {

namespace {

template <class T> constexpr std::array<T, Gemm<T>::kColumns> kZeros{};

template <class T, int P, int Q> using Sums = typename Vec<T>::Register[P][Q];

// One value of P pixels times Q vectors of weights. Fresh: the products are where the sums begin.
template <class T, int Value, bool Fresh, int P, int Q>
[[gnu::always_inline]] inline void multiply_value(Sums<T, P, Q>& sum, const typename Vec<T>::Values (&x)[P], const T*& w) {
  using V = Vec<T>;
#pragma clang loop unroll(full)
  for (int q = 0; q < Q; q++) {
    const auto weight = V::load(w + V::kLanes * q);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      if constexpr (Fresh) sum[p][q] = V::template multiply<Value>(weight, x[p]);
      else sum[p][q] = V::template fma<Value>(sum[p][q], weight, x[p]);
    }
  }
  w += V::kLanes * Q;
}

// A vector of values of P pixels.
template <class T, bool Rgb, bool Fresh, int P, int Q>
[[gnu::always_inline]] inline void multiply_values(Sums<T, P, Q>& sum, const typename Vec<T>::Values (&x)[P], const T*& w) {
  multiply_value<T, 0, Fresh, P, Q>(sum, x, w);
  multiply_value<T, 1, false, P, Q>(sum, x, w);
  multiply_value<T, 2, false, P, Q>(sum, x, w);
  if constexpr (!Rgb) multiply_value<T, 3, false, P, Q>(sum, x, w);
  if constexpr (Vec<T>::kLanes == 8) {
    multiply_value<T, 4, false, P, Q>(sum, x, w);
    multiply_value<T, 5, false, P, Q>(sum, x, w);
    multiply_value<T, 6, false, P, Q>(sum, x, w);
    if constexpr (!Rgb) multiply_value<T, 7, false, P, Q>(sum, x, w);
  }
}

}  // namespace

template <class T> struct GemmTile {
  using V = Vec<T>;
  using Tile = typename Gemm<T>::Tile;
  using RowFunction = typename Gemm<T>::RowFunction;
  using Act = FloatForm::Act;

  // P pixels x Q vectors of columns at a time. The last tile is moved back so that it ends with the row.
  template <int P, int Q, FloatForm F, bool Rgb>
  static void run(const Row<T>& given_row, const Tile& given_tile, const Constants<T>& constants) {
    // Copies, which no store can change.
    const Row<T> row = given_row;
    const Tile tile = given_tile;
    const Constants<T> c = constants;
    const T* bias = c.bias + tile.column;
    const ptrdiff_t start_step = row.start == nullptr ? 0 : row.start_step;
    const T* start = F.plain ? kZeros<T>.data() : row.start == nullptr ? bias : row.start + tile.column;
    for (int64_t m = 0; m < row.pixels; m += P) {
      const int64_t first = std::min(m, row.pixels - P);
      Sums<T, P, Q> sum;
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
        for (int q = 0; q < Q; q++) sum[p][q] = load_again(start + (first + p) * start_step + V::kLanes * q);
      const T* w = tile.weights;
      for (int s = 0; s < tile.segments; s++) {
        const T* x = row.segments[static_cast<size_t>(s)] + first * row.pixel_step;
        for (int64_t k = 0; k < tile.k; k += V::kLanes) {
          typename V::Values values[P];
#pragma clang loop unroll(full)
          for (int p = 0; p < P; p++) values[p] = V::load_values(x + p * row.pixel_step + k);
          multiply<P, Q, F, Rgb>(sum, values, w);
        }
      }
      store<P, Q, F>(sum, row, first, tile.column, bias, c);
    }
  }

  template <int P, int Q, FloatForm F, bool Rgb>
  [[gnu::always_inline]] static void multiply(Sums<T, P, Q>& sum, const typename V::Values (&values)[P], const T*& w) {
    if constexpr (V::kShortSums && !F.long_sums) {
      Sums<T, P, Q> part;
      multiply_values<T, Rgb, true, P, Q>(part, values, w);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
        for (int q = 0; q < Q; q++) sum[p][q] = sum[p][q] + part[p][q];
    } else {
      multiply_values<T, Rgb, false, P, Q>(sum, values, w);
    }
  }

  template <int P, int Q, FloatForm F>
  [[gnu::always_inline]] static void store(const Sums<T, P, Q>& sum, const Row<T>& row, int64_t first, int64_t column, const T* bias,
                                           const Constants<T>& c) {
    T* out = row.out + first * row.out_step + column;
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      const T* residual = nullptr;
      if constexpr (F.residual) residual = row.residual + ((row.first + first + p) >> row.residual_shift) * row.residual_step + column;
#pragma clang loop unroll(full)
      for (int q = 0; q < Q; q++) {
        const int at = V::kLanes * q;
        V::store(out + p * row.out_step + at, finish<T, F>(sum[p][q], bias + at, F.residual ? residual + at : nullptr, c));
      }
    }
  }

  template <int P, int Q, bool Rgb, bool Plain, bool Long> static RowFunction pick_act(const FloatForm& form) {
    if (form.residual) return run<P, Q, FloatForm{Act::none, true, Plain, Long}, Rgb>;
    switch (form.act) {
      case Act::none: return run<P, Q, FloatForm{Act::none, false, Plain, Long}, Rgb>;
      case Act::relu: return run<P, Q, FloatForm{Act::relu, false, Plain, Long}, Rgb>;
      case Act::hard_swish: break;
    }
    return run<P, Q, FloatForm{Act::hard_swish, false, Plain, Long}, Rgb>;
  }
  template <int P, int Q, bool Rgb, bool Long> static RowFunction pick(const FloatForm& form) {
    if constexpr (std::is_same_v<T, float>)
      if (form.plain) return pick_act<P, Q, Rgb, true, false>(form);
    return pick_act<P, Q, Rgb, false, Long>(form);
  }

  template <int P, int Columns, bool Rgb, bool Long = false> static void set(Tile& tile, const FloatForm& form) {
    tile.columns = Columns;
    tile.pixels = P;
    tile.many = pick<P, Columns / V::kLanes, Rgb, Long>(form);
    tile.few = pick<1, Columns / V::kLanes, Rgb, Long>(form);
  }

  static void choose_long(Tile& tile, int64_t columns, const FloatForm& form, bool rgb) {
    if (rgb) return set<8, 8, true, true>(tile, form);
    if (columns >= Gemm<T>::kColumns) return set<7, Gemm<T>::kColumns, false, true>(tile, form);
    if (columns >= 16) return set<8, 16, false, true>(tile, form);
    return set<8, 8, false, true>(tile, form);
  }

  static void choose(Tile& tile, int64_t columns, const FloatForm& form, bool rgb) {
    if constexpr (V::kShortSums)
      if (form.long_sums) return choose_long(tile, columns, form, rgb);
    if (rgb) return set<8, 8, true>(tile, form);
    if (columns >= Gemm<T>::kColumns) return set<4, Gemm<T>::kColumns, false>(tile, form);
    if constexpr (V::kLanes == 4)
      if (columns < 8) {
        tile.columns = 4;
        tile.pixels = 12;
        tile.many = form.plain ? run<12, 1, FloatForm{}, false> : run<12, 1, FloatForm{.plain = false}, false>;
        tile.few = form.plain ? run<1, 1, FloatForm{}, false> : run<1, 1, FloatForm{.plain = false}, false>;
        return;
      }
    set<8, 8, false>(tile, form);
  }
};

template <class T>
Gemm<T>::Gemm(int64_t segments, int64_t k, int64_t columns, const FloatForm& form, const Weight& weight, bool rgb) : columns_(columns) {
  std::vector<size_t> offsets;
  for (int64_t column = 0; column < columns;) {
    Tile tile;
    tile.column = column;
    tile.segments = static_cast<int>(segments);
    tile.k = k;
    GemmTile<T>::choose(tile, columns - column, form, rgb);
    offsets.push_back(weights_.size());
    for (int64_t s = 0; s < segments; s++)
      for (int64_t i = 0; i < k; i++) {
        if (rgb && i % 4 == 3) continue;
        for (int64_t n = 0; n < tile.columns; n++) weights_.push_back(static_cast<T>(weight(s, i, column + n)));
      }
    column += tile.columns;
    tiles_.push_back(tile);
  }
  for (size_t i = 0; i < tiles_.size(); i++) tiles_[i].weights = weights_.data() + offsets[i];
}

template class Gemm<float>;
template class Gemm<Half>;

}  // namespace edgeocr::kernels::neon
