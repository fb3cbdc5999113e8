#include "kernels/neon/upsampled_source.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/tensor.h"

namespace edgeocr::kernels::neon {

namespace {

// How the three taps of one dimension enter a product.
enum class Taps { sum, first, minus_last };
float coefficient(Taps taps, int64_t tap) {
  switch (taps) {
    case Taps::sum: return 1;
    case Taps::first: return tap == 0 ? 1.0f : 0.0f;
    case Taps::minus_last: break;
  }
  return tap == 2 ? -1.0f : 0.0f;
}
struct Combination {
  Taps rows, columns;
};

// Columns [combination][output channel].
template <class T>
Gemm<T> make_gemm(const graph::Constant& filter, int64_t in_lanes, int64_t lanes, std::span<const Combination> combinations,
                  bool bias = false) {
  const auto values = filter.as<float>();
  const int64_t outputs = filter.shape[0], inputs = filter.shape[1];
  const auto weight = [&](int64_t, int64_t c, int64_t column) {
    const int64_t o = column % lanes;
    if (c >= inputs || o >= outputs) return 0.0f;
    const Combination& combination = combinations[static_cast<size_t>(column / lanes)];
    double sum = 0;
    for (int64_t tap = 0; tap < 9; tap++) {
      const float factor = coefficient(combination.rows, tap / 3) * coefficient(combination.columns, tap % 3);
      sum += static_cast<double>(factor * values[static_cast<size_t>((o * inputs + c) * 9 + tap)]);
    }
    return static_cast<float>(sum);
  };
  return {1, in_lanes, static_cast<int64_t>(combinations.size()) * lanes, {.plain = false, .bias = bias}, weight};
}

constexpr Combination kPlain[] = {{Taps::sum, Taps::sum}};
constexpr Combination kAlong[] = {{Taps::sum, Taps::first}, {Taps::sum, Taps::minus_last}};
constexpr Combination kBetweenRows[] = {{Taps::first, Taps::sum}, {Taps::minus_last, Taps::sum}};
constexpr Combination kBoth[] = {
    {Taps::first, Taps::first}, {Taps::first, Taps::minus_last}, {Taps::minus_last, Taps::first}, {Taps::minus_last, Taps::minus_last}};

// out = a - b, n whole vectors; either may be null, which is zero.
template <class T> void subtract(const T* a, const T* b, int64_t n, T* out) {
  using V = Vec<T>;
  const auto zero = V::broadcast(0);
  for (int64_t i = 0; i < n; i += V::kLanes)
    V::store(out + i, (a == nullptr ? zero : V::load(a + i)) - (b == nullptr ? zero : V::load(b + i)));
}

// out[i] = x[i - 1] - x[i] for 0 <= i <= width, zeros around x.
template <class T> void subtract_neighbours(const T* x, ptrdiff_t step, int64_t width, int64_t lanes, T* out) {
  subtract<T>(nullptr, x, lanes, out);
  for (int64_t i = 1; i < width; i++) subtract<T>(x + (i - 1) * step, x + i * step, lanes, out + i * lanes);
  subtract<T>(x + (width - 1) * step, nullptr, lanes, out + width * lanes);
}

// One of the vectors of an expanded row for every output over a pixel: the first, those between, the last.
template <bool Add, class T> void spread(const T* expanded, int64_t width, int64_t factor, int64_t lanes, T* sums) {
  using V = Vec<T>;
  for (int64_t x = 0; x < width; x++, expanded += 3 * lanes)
    for (int64_t i = 0; i < factor; i++, sums += lanes) {
      const T* from = expanded + (i == 0 ? 0 : i == factor - 1 ? 2 : 1) * lanes;
      for (int64_t n = 0; n < lanes; n += V::kLanes) V::store(sums + n, Add ? V::load(from + n) + V::load(sums + n) : V::load(from + n));
    }
}

constexpr int64_t kTags = 16;  // elements, keeps the rest aligned

}  // namespace

// A worker's memory.
template <class T> struct UpsampledSource<T>::Products {
  struct Tags {
    int32_t row, boundary, expanded;  // batch and row that the products belong to; -1: none
  };
  Tags* tags;
  T *plain, *along;                  // of a row: [width][lanes], [width + 1][2][lanes]
  T *between, *both;                 // of the boundary above a row: [width][2][lanes], [width + 1][4][lanes]
  T* expanded;                       // [width][3][lanes]
  T *differences, *row_differences;  // [width + 1][in_lanes] each
};

template <class T>
UpsampledSource<T>::UpsampledSource(const graph::Constant& filter, int64_t factor, int64_t lanes)
    : factor_(factor), in_lanes_(pixel_stride_of(filter.shape[1])), lanes_(lanes), zeros_(static_cast<size_t>(lanes), static_cast<T>(0.0f)),
      plain_(make_gemm<T>(filter, in_lanes_, lanes, kPlain, true)), along_(make_gemm<T>(filter, in_lanes_, lanes, kAlong)),
      between_(make_gemm<T>(filter, in_lanes_, lanes, kBetweenRows)), both_(make_gemm<T>(filter, in_lanes_, lanes, kBoth)) {}

template <class T> size_t UpsampledSource<T>::scratch_elements(const TensorView& in) const {
  const int64_t width = in.shape[3];
  return static_cast<size_t>(kTags + (6 * width + 3 * (2 * width + 2)) * lanes_ + 2 * (width + 1) * in_lanes_);
}

template <class T> typename UpsampledSource<T>::Products UpsampledSource<T>::products(const TensorView& in, T* scratch) const {
  const int64_t width = in.shape[3];
  Products p{};
  p.tags = reinterpret_cast<typename Products::Tags*>(scratch);
  T* next = scratch + kTags;
  const auto take = [&](int64_t elements) { return std::exchange(next, next + elements); };
  p.plain = take(width * lanes_);
  p.along = take((width + 1) * 2 * lanes_);
  p.between = take(width * 2 * lanes_);
  p.both = take((width + 1) * 4 * lanes_);
  p.expanded = take(width * 3 * lanes_);
  p.differences = take((width + 1) * in_lanes_);
  p.row_differences = take((width + 1) * in_lanes_);
  return p;
}

template <class T> void UpsampledSource<T>::clear(T* scratch) const { *reinterpret_cast<typename Products::Tags*>(scratch) = {-1, -1, -1}; }

template <class T>
void UpsampledSource<T>::multiply(const Gemm<T>& gemm, const T* pixels, ptrdiff_t step, int64_t count, T* out, const T* bias) const {
  Row<T> row;
  row.segments[0] = pixels;
  row.pixel_step = step;
  row.pixels = count;
  row.out = out;
  row.out_step = gemm.columns();
  gemm.run(row, {.bias = bias});
}

template <class T>
void UpsampledSource<T>::multiply_row(const TensorView& in, int64_t batch, int64_t row, const T* bias, const Products& p) const {
  const int64_t width = in.shape[3];
  const T* x = in.as<const T>() + batch * in.batch_stride + row * in.row_stride;
  multiply(plain_, x, in.pixel_stride, width, p.plain, bias == nullptr ? zeros_.data() : bias);
  subtract_neighbours(x, in.pixel_stride, width, in_lanes_, p.differences);
  multiply(along_, p.differences, in_lanes_, width + 1, p.along);
}

// Between row - 1 and row.
template <class T> void UpsampledSource<T>::multiply_boundary(const TensorView& in, int64_t batch, int64_t row, const Products& p) const {
  const int64_t width = in.shape[3];
  const T* map = in.as<const T>() + batch * in.batch_stride;
  const T* above = row > 0 ? map + (row - 1) * in.row_stride : nullptr;
  const T* below = row < in.shape[2] ? map + row * in.row_stride : nullptr;
  for (int64_t x = 0; x < width; x++) {
    const int64_t at = x * in.pixel_stride;
    subtract<T>(above == nullptr ? nullptr : above + at, below == nullptr ? nullptr : below + at, in_lanes_,
                p.row_differences + x * in_lanes_);
  }
  multiply(between_, p.row_differences, in_lanes_, width, p.between);
  subtract_neighbours(p.row_differences, in_lanes_, width, in_lanes_, p.differences);
  multiply(both_, p.differences, in_lanes_, width + 1, p.both);
}

template <class T> void UpsampledSource<T>::expand(int64_t width, Phase phase, const Products& p) const {
  using V = Vec<T>;
  const int64_t n = lanes_;
  // Halves for the outputs below the boundary and above it.
  const T *between = p.between + (phase == kLast ? n : 0), *both = p.both + (phase == kLast ? 2 * n : 0);
  for (int64_t x = 0; x < width; x++) {
    const T *plain = p.plain + x * n, *left = p.along + x * 2 * n, *right = p.along + (x + 1) * 2 * n + n;
    const T *row = between + x * 2 * n, *row_left = both + x * 4 * n, *row_right = both + (x + 1) * 4 * n + n;
    T* out = p.expanded + x * 3 * n;
    for (int64_t i = 0; i < n; i += V::kLanes) {
      auto middle = V::load(plain + i), first = V::load(left + i), last = V::load(right + i);
      if (phase != kBetween) {
        middle = middle + V::load(row + i);
        first = first + V::load(row_left + i);
        last = last + V::load(row_right + i);
      }
      V::store(out + i, middle + first);
      V::store(out + n + i, middle);
      V::store(out + 2 * n + i, middle + last);
    }
  }
}

template <class T> void UpsampledSource<T>::run(const TensorView& in, int64_t batch, int64_t y, const T* bias, T* scratch, T* sums) const {
  const Products p = products(in, scratch);
  const int64_t row = y / factor_, phase_row = y % factor_, width = in.shape[3];
  const Phase phase = phase_row == 0 ? kFirst : phase_row == factor_ - 1 ? kLast : kBetween;
  const auto tag = static_cast<int32_t>(batch * in.shape[2] + row);
  const auto boundary = static_cast<int32_t>(batch * (in.shape[2] + 1) + row + (phase == kLast ? 1 : 0));
  if (p.tags->row != tag) multiply_row(in, batch, row, bias, p);
  if (phase != kBetween && p.tags->boundary != boundary) {
    multiply_boundary(in, batch, row + (phase == kLast ? 1 : 0), p);
    p.tags->boundary = boundary;
  }
  p.tags->row = tag;
  if (p.tags->expanded != 3 * tag + phase) expand(width, phase, p);
  p.tags->expanded = 3 * tag + phase;
  if (bias == nullptr) spread<true>(p.expanded, width, factor_, lanes_, sums);
  else spread<false>(p.expanded, width, factor_, lanes_, sums);
}

template class UpsampledSource<float>;
template class UpsampledSource<Half>;

}  // namespace edgeocr::kernels::neon
