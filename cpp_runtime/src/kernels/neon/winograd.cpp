#include "kernels/neon/winograd.h"

#include <algorithm>

#include "base/aligned.h"
#include "kernels/floating/winograd_filter.h"

namespace edgeocr::kernels::neon {

namespace {

// One dimension of the transforms: Tile outputs of Tile + 2 inputs.
template <class T, int64_t Tile> struct Transform;

// Points 0, 1, -1 and infinity.
template <class T> struct Transform<T, 2> {
  using Register = typename Vec<T>::Register;
  static constexpr double kFilter[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

  [[gnu::always_inline]] static void input(const Register (&d)[4], Register (&t)[4]) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[3] - d[1];
  }
  [[gnu::always_inline]] static void output(const Register (&m)[4], Register (&o)[2]) {
    o[0] = m[0] + (m[1] + m[2]);
    o[1] = (m[1] - m[2]) + m[3];
  }
};

template <class T> struct Transform<T, 4> {
  using V = Vec<T>;
  using Register = typename V::Register;
  static constexpr auto& kFilter = floating::kWinogradFilter4;

  [[gnu::always_inline]] static void input(const Register (&d)[6], Register (&t)[6]) {
    const Register two = V::broadcast(2), four = V::broadcast(4), five = V::broadcast(5);
    const Register a = V::fms(d[4], d[2], four), b = V::fms(d[3], d[1], four), c = d[4] - d[2], e = (d[3] - d[1]) * two;
    t[0] = V::fma(V::fms(d[4], d[2], five), d[0], four);
    t[1] = a + b;
    t[2] = a - b;
    t[3] = c + e;
    t[4] = c - e;
    t[5] = V::fma(V::fms(d[5], d[3], five), d[1], four);
  }
  [[gnu::always_inline]] static void output(const Register (&m)[6], Register (&o)[4]) {
    const Register a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], e = m[3] - m[4];
    o[0] = (m[0] + a) + c;
    o[1] = V::fma(b, e, V::broadcast(2));
    o[2] = V::fma(a, c, V::broadcast(4));
    o[3] = V::fma(b, e, V::broadcast(8)) + m[5];
  }
};

template <class T> int64_t tiles_of(int64_t width) { return (width + Winograd<T>::kTile - 1) / Winograd<T>::kTile; }

}  // namespace

template <class T> struct Winograd<T>::Outputs {
  const T* products;  // [element][tile][lanes]
  int64_t tiles, width, lanes;
  Band band;
  Constants<T> constants;
};

template <class T>
Winograd<T>::Winograd(const graph::Constant& filter, int64_t lanes, const FloatForm& form)
    : in_lanes_(pixel_stride_of(filter.shape[1])), lanes_(lanes) {
  using Act = FloatForm::Act;
  transform_outputs_ = form.act == Act::none   ? transform_outputs<FloatForm{Act::none, false, false}>
                       : form.act == Act::relu ? transform_outputs<FloatForm{Act::relu, false, false}>
                                               : transform_outputs<FloatForm{Act::hard_swish, false, false}>;
  const auto& points = Transform<T, kTile>::kFilter;
  for (const auto& row : points)
    for (const auto& column : points)
      gemms_.emplace_back(1, in_lanes_, lanes_, FloatForm{.plain = false, .bias = false}, floating::winograd_weights(filter, row, column));
}

template <class T> size_t Winograd<T>::scratch_elements(const TensorView& in) const {
  const size_t transformed = static_cast<size_t>(kElements * tiles_of<T>(in.shape[3]) * (in_lanes_ + lanes_));
  return align_up(window(in).elements() * sizeof(T)) / sizeof(T) + transformed;
}

// [element][tile][in_lanes]
template <class T> void Winograd<T>::transform_inputs(const TensorView& in, const Band& band, T* patch, T* transformed) const {
  using V = Vec<T>;
  const floating::Window<T> window = this->window(in);
  const int64_t tiles = tiles_of<T>(in.shape[3]), element = tiles * in_lanes_, step = in_lanes_;
  const auto rows_of_map = window.rows_at(band.batch, band.y - 1, patch);
  for (int64_t tile = 0; tile < tiles; tile++) {
    const int64_t left = tile * kTile - 1;
    auto pixels = rows_of_map;
    if (left < 0 || left + kSize > in.shape[3]) pixels = window.at(band.batch, band.y - 1, left, kSize, patch);
    else
      for (int64_t i = 0; i < kSize; i++) pixels[static_cast<size_t>(i)] += left * step;
    for (int64_t c = 0; c < in_lanes_; c += V::kLanes) {
      typename V::Register rows[kSize][kSize];
#pragma clang loop unroll(full)
      for (int j = 0; j < kSize; j++) {
        typename V::Register d[kSize], t[kSize];
#pragma clang loop unroll(full)
        for (int i = 0; i < kSize; i++) d[i] = V::load(pixels[static_cast<size_t>(i)] + j * step + c);
        Transform<T, kTile>::input(d, t);
#pragma clang loop unroll(full)
        for (int i = 0; i < kSize; i++) rows[i][j] = t[i];
      }
      T* out = transformed + tile * in_lanes_ + c;
#pragma clang loop unroll(full)
      for (int i = 0; i < kSize; i++) {
        typename V::Register t[kSize];
        Transform<T, kTile>::input(rows[i], t);
#pragma clang loop unroll(full)
        for (int j = 0; j < kSize; j++) V::store(out + (i * kSize + j) * element, t[j]);
      }
    }
  }
}

template <class T> template <FloatForm F> void Winograd<T>::transform_outputs(const Outputs& outputs) {
  using V = Vec<T>;
  const Outputs o = outputs;  // which no store can change
  const int64_t element = o.tiles * o.lanes, row = o.width * o.lanes;
  const bool has_start = o.band.start != nullptr;
  for (int64_t tile = 0; tile < o.tiles; tile++) {
    const int64_t x = tile * kTile, columns = std::min(kTile, o.width - x);
    for (int64_t c = 0; c < o.lanes; c += V::kLanes) {
      const T* products = o.products + tile * o.lanes + c;
      typename V::Register rows[kTile][kSize];
#pragma clang loop unroll(full)
      for (int j = 0; j < kSize; j++) {
        typename V::Register m[kSize], t[kTile];
#pragma clang loop unroll(full)
        for (int i = 0; i < kSize; i++) m[i] = V::load(products + (i * kSize + j) * element);
        Transform<T, kTile>::output(m, t);
#pragma clang loop unroll(full)
        for (int i = 0; i < kTile; i++) rows[i][j] = t[i];
      }
      // Without a start every pixel begins with the bias.
      const T* start = has_start ? o.band.start + x * o.lanes + c : o.constants.bias + c;
      const int64_t start_row = has_start ? row : 0, start_step = has_start ? o.lanes : 0;
#pragma clang loop unroll(full)
      for (int i = 0; i < kTile; i++) {
        if (i >= o.band.rows) continue;
        typename V::Register sums[kTile];
        Transform<T, kTile>::output(rows[i], sums);
        T* out = o.band.out + i * row + x * o.lanes + c;
#pragma clang loop unroll(full)
        for (int j = 0; j < kTile; j++) {
          if (j >= columns) continue;
          const auto sum = sums[j] + V::load(start + i * start_row + j * start_step);
          V::store(out + j * o.lanes, finish<T, F>(sum, nullptr, nullptr, o.constants));
        }
      }
    }
  }
}

template <class T> void Winograd<T>::run(const TensorView& in, const Band& band, const Constants<T>& constants, T* scratch) const {
  const int64_t width = in.shape[3], tiles = tiles_of<T>(width);
  T* transformed = scratch + align_up(window(in).elements() * sizeof(T)) / sizeof(T);
  T* products = transformed + kElements * tiles * in_lanes_;
  transform_inputs(in, band, scratch, transformed);
  for (int64_t element = 0; element < kElements; element++) {
    Row<T> row;
    row.segments[0] = transformed + element * tiles * in_lanes_;
    row.pixel_step = in_lanes_;
    row.pixels = tiles;
    row.out = products + element * tiles * lanes_;
    row.out_step = lanes_;
    gemms_[static_cast<size_t>(element)].run(row, {});
  }
  transform_outputs_({products, tiles, width, lanes_, band, constants});
}

template class Winograd<float>;
template class Winograd<Half>;

}  // namespace edgeocr::kernels::neon
