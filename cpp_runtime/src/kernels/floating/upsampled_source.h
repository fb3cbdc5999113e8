// conv3x3 over a nearest-upsampled map, row by row, at the cost of nine products per pixel of the map itself.
//
// In one dimension, with taps (a, b, c), s = a + b + c and D[i] = x[i-1] - x[i] (zeros outside), the outputs over pixel i are
//   the first     s x[i] + a D[i]
//   those between s x[i]
//   the last      s x[i] - c D[i+1]
// In two dimensions that is one product of x, two of its differences along a row, two of those between rows, four of both.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "kernels/floating/expanded_row.h"

namespace edgeocr::kernels::floating {

enum class UpsampledProduct : uint8_t { plain, along, between, both };
// What is multiplied with, in columns [combination of taps][output channel].
struct UpsampledWeights {
  int64_t columns;
  std::function<float(int64_t segment, int64_t channel, int64_t column)> weight;  // reads the filter
};
UpsampledWeights upsampled_weights(const graph::Constant& filter, int64_t lanes, UpsampledProduct product);

// Loops, over whole vectors of lanes:
//   subtract(a, b, n, out)  a - b; either may be null, which is zero
//   expand(row)             an ExpandedRow
//   spread(expanded, width, factor, lanes, add, sums)  [width][3][lanes] to [width * factor][lanes], stored or added to what is there
template <class Set, class Loops> class UpsampledSource {
 public:
  using T = typename Set::Value;

  // filter: [O, I, 3, 3]; lanes: O, padded to vectors of eight; factor >= 2.
  UpsampledSource(const graph::Constant& filter, int64_t factor, int64_t lanes)
      : factor_(factor), in_lanes_(pixel_stride_of(filter.shape[1])), lanes_(lanes),
        zeros_(static_cast<size_t>(4 * lanes), static_cast<T>(0.0f)), plain_(make_gemm(filter, UpsampledProduct::plain)),
        along_(make_gemm(filter, UpsampledProduct::along)), between_(make_gemm(filter, UpsampledProduct::between)),
        both_(make_gemm(filter, UpsampledProduct::both)) {}

  // Scratch memory of one worker: products of the last rows.
  size_t scratch_elements(const TensorView& in) const {
    const int64_t width = in.shape[3];
    return static_cast<size_t>(kTags + (6 * width + 3 * (2 * width + 2)) * lanes_ + 2 * (width + 1) * in_lanes_);
  }
  // Before a worker's first row.
  void clear(T* scratch) const { *reinterpret_cast<Tags*>(scratch) = {-1, -1, -1}; }

  // What the source contributes to row y of the output: [factor * width][lanes], stored with the bias, or (bias: null) added to what
  // is there.
  void run(const TensorView& in, int64_t batch, int64_t y, const T* bias, T* scratch, T* sums) const {
    const Products p = products(in, scratch);
    const int64_t row = y / factor_, phase_row = y % factor_, width = in.shape[3];
    const Phase phase = phase_row == 0 ? kFirst : phase_row == factor_ - 1 ? kLast : kBetween;
    const auto tag = static_cast<int32_t>(batch * in.shape[2] + row);
    const auto boundary = static_cast<int32_t>(batch * (in.shape[2] + 1) + row + (phase == kLast ? 1 : 0));
    if (p.tags->row != tag) multiply_row(in, batch, row, bias == nullptr ? zeros_.data() : bias, p);
    if (phase != kBetween && p.tags->boundary != boundary) {
      multiply_boundary(in, batch, row + (phase == kLast ? 1 : 0), p);
      p.tags->boundary = boundary;
    }
    p.tags->row = tag;
    if (p.tags->expanded != 3 * tag + phase) expand(width, phase, p);
    p.tags->expanded = 3 * tag + phase;
    loops_.spread(p.expanded, width, factor_, lanes_, bias == nullptr, sums);
  }

 private:
  using Gemm = typename Set::Gemm;

  enum Phase : int { kFirst, kBetween, kLast };
  struct Tags {
    int32_t row, boundary, expanded;  // batch and row that the products belong to; -1: none
  };
  static constexpr int64_t kTags = 16;  // elements, keeps the rest aligned

  // A worker's memory.
  struct Products {
    Tags* tags;
    T *plain, *along;                  // of a row: [width][lanes], [width + 1][2][lanes]
    T *between, *both;                 // of the boundary above a row: [width][2][lanes], [width + 1][4][lanes]
    T* expanded;                       // [width][3][lanes]
    T *differences, *row_differences;  // [width + 1][in_lanes] each
  };
  Products products(const TensorView& in, T* scratch) const {
    const int64_t width = in.shape[3];
    Products p{};
    p.tags = reinterpret_cast<Tags*>(scratch);
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

  Gemm make_gemm(const graph::Constant& filter, UpsampledProduct product) const {
    const UpsampledWeights weights = upsampled_weights(filter, lanes_, product);
    return {1, in_lanes_, weights.columns, Set::sums_form(product == UpsampledProduct::plain), weights.weight};
  }

  void multiply(const Gemm& gemm, const T* pixels, int64_t count, const T* bias, T* out) const {
    typename Set::Row row;
    row.segments[0] = pixels;
    row.pixel_step = in_lanes_;
    row.pixels = count;
    row.out = out;
    row.out_step = gemm.columns();
    gemm.run(row, {.bias = bias});
  }

  void multiply_row(const TensorView& in, int64_t batch, int64_t row, const T* bias, const Products& p) const {
    const int64_t width = in.shape[3];
    const T* x = in.as<const T>() + batch * in.batch_stride + row * in.row_stride;
    multiply(plain_, x, width, bias, p.plain);
    subtract_neighbours(x, width, p.differences);
    multiply(along_, p.differences, width + 1, zeros_.data(), p.along);
  }

  // Between row - 1 and row.
  void multiply_boundary(const TensorView& in, int64_t batch, int64_t row, const Products& p) const {
    const int64_t width = in.shape[3];
    const T* map = in.as<const T>() + batch * in.batch_stride;
    const T* above = row > 0 ? map + (row - 1) * in.row_stride : nullptr;
    const T* below = row < in.shape[2] ? map + row * in.row_stride : nullptr;
    loops_.subtract(above, below, width * in_lanes_, p.row_differences);
    multiply(between_, p.row_differences, width, zeros_.data(), p.between);
    subtract_neighbours(p.row_differences, width, p.differences);
    multiply(both_, p.differences, width + 1, zeros_.data(), p.both);
  }

  // out[i] = x[i - 1] - x[i] for 0 <= i <= width, zeros around x.
  void subtract_neighbours(const T* x, int64_t width, T* out) const {
    loops_.subtract(nullptr, x, in_lanes_, out);
    loops_.subtract(x, x + in_lanes_, (width - 1) * in_lanes_, out + in_lanes_);
    loops_.subtract(x + (width - 1) * in_lanes_, nullptr, in_lanes_, out + width * in_lanes_);
  }

  void expand(int64_t width, Phase phase, const Products& p) const {
    // Halves for the outputs below the boundary and above it.
    const int64_t half = phase == kLast ? lanes_ : 0;
    loops_.expand({.plain = p.plain,
                   .along = p.along,
                   .between = p.between + half,
                   .both = p.both + 2 * half,
                   .boundary = phase != kBetween,
                   .width = width,
                   .lanes = lanes_,
                   .out = p.expanded});
  }

  Loops loops_;
  int64_t factor_, in_lanes_, lanes_;
  std::vector<T> zeros_;  // in place of the bias
  Gemm plain_, along_, between_, both_;
};

}  // namespace edgeocr::kernels::floating
