#include "kernels/neon/gemm.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

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

// Weights of Q vectors of columns, k of them, times a gate for each k.
template <class T, int Q> void gate_tile(const T* w, const T* gates, int64_t k, T* out) {
  using V = Vec<T>;
  for (int64_t first = 0; first < k; first += V::kLanes) {
    const auto values = V::load_values(gates + first);
    const auto gate_value = [&]<int Value>() __attribute__((always_inline)) {
#pragma clang loop unroll(full)
      for (int q = 0; q < Q; q++) V::store(out + V::kLanes * q, V::template multiply<Value>(V::load(w + V::kLanes * q), values));
      w += V::kLanes * Q;
      out += V::kLanes * Q;
    };
    [&]<int... Value>(std::integer_sequence<int, Value...>)
        __attribute__((always_inline)) { (gate_value.template operator()<Value>(), ...); }(std::make_integer_sequence<int, V::kLanes>());
  }
}

}  // namespace

template <class T> struct GemmTile {
  using V = Vec<T>;
  using Tile = typename Gemm<T>::Tile;
  using RowFunction = typename Gemm<T>::RowFunction;
  using Act = FloatForm::Act;

  // P pixels x Q vectors of columns at a time. The last tile is moved back so that it ends with the row.
  template <int P, int Q, FloatForm F, bool Rgb> static void run(const Row<T>& row, const Tile& given_tile, const Constants<T>& constants) {
    // Copies, which no store can change.
    const auto segments = row.segments;
    const Tile tile = given_tile;
    const Constants<T> c = constants;
    const ptrdiff_t pixel_step = row.pixel_step, out_step = row.out_step, start_step = row.start == nullptr ? 0 : row.start_step;
    const T* bias = F.bias ? c.bias + tile.column : nullptr;
    const T* start = F.plain ? kZeros<T>.data() : row.start == nullptr ? bias : row.start + tile.column;
    T* out = row.out + tile.column;
    Residual residual{F.residual ? row.residual + tile.column : nullptr, row.residual_step, row.first, row.residual_shift};
    ptrdiff_t at = 0;
    int64_t left = row.pixels;
    while (left > 0) {
      Sums<T, P, Q> sum;
      if constexpr (F.bias) begin<P, Q>(sum, start, start_step);
      const T* w = tile.weights;
      for (int s = 0; s < tile.segments; s++) {
        const T* x = segments[static_cast<size_t>(s)] + at;
        int64_t k = 0;
        if constexpr (!F.bias) {
          if (s == 0) {
            multiply_step<P, Q, Rgb, true>(sum, x, pixel_step, w);
            k = kStep<Rgb>;
          }
        }
        for (; k < tile.k; k += kStep<Rgb>) multiply<P, Q, F, Rgb>(sum, x + k, pixel_step, w);
      }
      store<P, Q, F>(sum, out, out_step, bias, residual, c);
      left -= P;
      const int64_t step = std::min<int64_t>(left, P);
      at += step * pixel_step, out += step * out_step, start += step * start_step, residual.pixel += step;
    }
  }

  struct Residual {
    const T* from;
    ptrdiff_t step;
    int64_t pixel;
    int shift;
  };

  template <int P, int Q> [[gnu::always_inline]] static void begin(Sums<T, P, Q>& sum, const T* start, ptrdiff_t step) {
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      const T* pixel = unknown_address(start + p * step);
#pragma clang loop unroll(full)
      for (int q = 0; q < Q; q++) sum[p][q] = V::load(pixel + V::kLanes * q);
    }
  }

  // Whether products are summed apart, in parts.
  static constexpr bool has_parts(const FloatForm& form) { return V::kShortSums && !form.long_sums; }

  // Values of a pixel whose products are summed apart: a vector; of rgb three pixels, a vector and a half.
  template <bool Rgb> static constexpr int64_t kStep = Rgb ? 4 * Gemm<T>::kRgbPixels : V::kLanes;

  template <int P, int Q, bool Rgb, bool Fresh>
  [[gnu::always_inline]] static void multiply_step(Sums<T, P, Q>& sum, const T* x, ptrdiff_t step, const T*& w) {
    typename V::Values values[P];
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) values[p] = V::load_values(x + p * step);
    multiply_values<T, Rgb, Fresh, P, Q>(sum, values, w);
    if constexpr (kStep<Rgb> > V::kLanes) {
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) values[p] = V::load_four_values(x + p * step + V::kLanes);
      multiply_value<T, 0, false, P, Q>(sum, values, w);
      multiply_value<T, 1, false, P, Q>(sum, values, w);
      multiply_value<T, 2, false, P, Q>(sum, values, w);
    }
  }

  template <int P, int Q, FloatForm F, bool Rgb>
  [[gnu::always_inline]] static void multiply(Sums<T, P, Q>& sum, const T* x, ptrdiff_t step, const T*& w) {
    if constexpr (has_parts(F)) {
      Sums<T, P, Q> part;
      multiply_step<P, Q, Rgb, true>(part, x, step, w);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
        for (int q = 0; q < Q; q++) sum[p][q] = sum[p][q] + part[p][q];
    } else {
      multiply_step<P, Q, Rgb, false>(sum, x, step, w);
    }
  }

  template <int P, int Q, FloatForm F>
  [[gnu::always_inline]] static void store(const Sums<T, P, Q>& sum, T* out, ptrdiff_t out_step, const T* bias, const Residual& residual,
                                           const Constants<T>& c) {
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      const T* addend = nullptr;
      if constexpr (F.residual) addend = residual.from + ((residual.pixel + p) >> residual.shift) * residual.step;
      const T* offsets = unknown_address(c.offsets);
      const auto finish_one = [&](int q) {
        const int at = V::kLanes * q;
        return finish<T, F>(sum[p][q], F.plain ? bias + at : nullptr, F.residual ? addend + at : nullptr, c, offsets + at);
      };
      // Two at a time, whose stores are one.
#pragma clang loop unroll(full)
      for (int q = 0; q < Q; q += 2) {
        T* to = out + p * out_step + V::kLanes * q;
        const auto one = finish_one(q), two = q + 1 < Q ? finish_one(q + 1) : one;
        V::store(to, one);
        if (q + 1 < Q) V::store(to + V::kLanes, two);
      }
    }
  }

  template <int P, int Q, bool Rgb, bool Plain, bool Long> static RowFunction pick_act(const FloatForm& form) {
    if (form.residual) return run<P, Q, FloatForm{Act::none, true, Plain, Long}, Rgb>;
    switch (form.act) {
      case Act::none: break;
      case Act::relu: return run<P, Q, FloatForm{Act::relu, false, Plain, Long}, Rgb>;
      case Act::hard_swish: return run<P, Q, FloatForm{Act::hard_swish, false, Plain, Long}, Rgb>;
    }
    if constexpr (!Plain)
      if (!form.bias) return run<P, Q, FloatForm{.plain = false, .long_sums = Long, .bias = false}, Rgb>;
    return run<P, Q, FloatForm{.plain = Plain, .long_sums = Long}, Rgb>;
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

template <class T> void Gemm<T>::choose(Tile& tile, int64_t left, const FloatForm& form, bool rgb) {
  GemmTile<T>::choose(tile, left, form, rgb);
}

template <class T> void Gemm<T>::run_gated(const Row<T>& row, const Constants<T>& constants, const T* weights) const {
  for (Tile tile : tiles_) {
    tile.weights = weights + (tile.weights - weights_.data());
    run(row, constants, tile);
  }
}

template <class T> void Gemm<T>::gate(const T* gates, T* weights) const {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  for (const Tile& tile : tiles_) {
    switch (tile.columns / kLanes) {
      case 1: gate_tile<T, 1>(tile.weights, gates, tile.k, weights); break;
      case 2: gate_tile<T, 2>(tile.weights, gates, tile.k, weights); break;
      default: gate_tile<T, kColumns / kLanes>(tile.weights, gates, tile.k, weights); break;
    }
    weights += tile.k * tile.columns;
  }
}

template class Gemm<float>;
template class Gemm<Half>;

}  // namespace edgeocr::kernels::neon
