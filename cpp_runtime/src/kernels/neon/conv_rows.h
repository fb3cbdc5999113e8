// Rows of a dense floating point convolution with a window: kernels up to 5 x 5, any steps, zeros around the map.
#pragma once

#include "base/tensor.h"
#include "kernels/neon/gemm.h"
#include "kernels/neon/window.h"

namespace edgeocr::kernels::neon {

template <class T> class ConvRows {
 public:
  static constexpr int64_t kEdge = 8;  // outputs at either end of a row whose window is a copy: a register tile's worth

  // One group, no dilation, pads of at most kEdge at the left and right. lanes: output channels, padded to vectors of eight.
  ConvRows(const ConvGeometry& geometry, const graph::Constant& filter, int64_t lanes, const FloatForm& form);

  // Scratch memory of one worker, to be cleared before its first row.
  size_t scratch_elements(const TensorView& in, int64_t out_w) const { return window(in, out_w).elements(); }
  void clear(const TensorView& in, int64_t out_w, T* scratch) const { window(in, out_w).clear(scratch); }

  // Row y of `width` outputs. row: out, and where used start and residual, of the first pixel, with their steps.
  void run(const TensorView& in, int64_t batch, int64_t y, int64_t width, const Row<T>& row, const Constants<T>& constants,
           T* scratch) const;

 private:
  Window<T> window(const TensorView& in, int64_t out_w) const;
  // Pixels of a window row must be contiguous where a segment spans several.
  bool copies(const TensorView& in) const { return geometry_.kernel_w > 1 && in.pixel_stride != lanes_; }
  int64_t columns_under(int64_t outputs) const { return (outputs - 1) * geometry_.stride_w + columns_; }

  ConvGeometry geometry_;
  int64_t lanes_;    // of an input pixel
  int64_t columns_;  // of a window: kernel_w, and those of zero weights where pixels of four lanes would leave less than Gemm takes
  Gemm<T> gemm_;
};

}  // namespace edgeocr::kernels::neon
