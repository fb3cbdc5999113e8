// conv3x3 over a nearest-upsampled map, row by row, at the cost of nine products per pixel of the map itself.
//
// In one dimension, with taps (a, b, c), s = a + b + c and D[i] = x[i-1] - x[i] (zeros outside), the outputs over pixel i are
//   the first     s x[i] + a D[i]
//   those between s x[i]
//   the last      s x[i] - c D[i+1]
// In two dimensions that is one product of x, two of its differences along a row, two of those between rows, four of both.
#pragma once

#include <vector>

#include "kernels/neon/gemm.h"

namespace edgeocr::kernels::neon {

template <class T> class UpsampledSource {
 public:
  // filter: [O, I, 3, 3]; lanes: O, padded to vectors of eight; factor >= 2.
  UpsampledSource(const graph::Constant& filter, int64_t factor, int64_t lanes);

  // Scratch memory of one worker: products of the last rows.
  size_t scratch_elements(const TensorView& in) const;
  // Before a worker's first row.
  void clear(T* scratch) const;

  // What the source contributes to row y of the output: [factor * width][lanes], stored with the bias, or (bias: null) added to what
  // is there.
  void run(const TensorView& in, int64_t batch, int64_t y, const T* bias, T* scratch, T* sums) const;

 private:
  enum Phase : int { kFirst, kBetween, kLast };
  struct Products;

  Products products(const TensorView& in, T* scratch) const;
  void multiply_row(const TensorView& in, int64_t batch, int64_t row, const T* bias, const Products& p) const;
  void multiply_boundary(const TensorView& in, int64_t batch, int64_t row, const Products& p) const;
  void expand(int64_t width, Phase phase, const Products& p) const;
  void multiply(const Gemm<T>& gemm, const T* pixels, ptrdiff_t step, int64_t count, T* out, const T* bias = nullptr) const;

  int64_t factor_, in_lanes_, lanes_;
  std::vector<T> zeros_;  // in place of the bias
  Gemm<T> plain_, along_, between_, both_;
};

}  // namespace edgeocr::kernels::neon
