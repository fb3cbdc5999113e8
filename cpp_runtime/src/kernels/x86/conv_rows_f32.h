// Rows of a dense fp32 convolution with a window: kernels up to 5 x 5, any steps, zeros around the map.
#pragma once

#include "base/tensor.h"
#include "graph/graph.h"
#include "kernels/requant.h"
#include "kernels/x86/gemm_f32.h"
#include "kernels/x86/window_f32.h"

namespace edgeocr::kernels::x86 {

class ConvRowsF32 {
 public:
  static constexpr int64_t kEdge = 8;  // outputs at either end of a row whose window is a copy: a register tile's worth

  // One group, no dilation, pads of at most kEdge at the left and right. lanes: output channels, padded to vectors of eight.
  ConvRowsF32(const ConvGeometry& geometry, const graph::Constant& filter, int64_t lanes, const FormF32& form);

  // Scratch memory of one worker, to be cleared before its first row.
  size_t scratch_elements(const TensorView& in, int64_t out_w) const { return window(in, out_w).elements(); }
  void clear(const TensorView& in, int64_t out_w, float* scratch) const { window(in, out_w).clear(scratch); }

  // Row y of `width` outputs. row: out, and where used start and residual, of the first pixel, with their steps.
  void run(const TensorView& in, int64_t batch, int64_t y, int64_t width, const RowF32& row, const ConstantsF32& constants,
           float* scratch) const;

 private:
  WindowF32 window(const TensorView& in, int64_t out_w) const;
  // Pixels of a window row must be contiguous where a segment spans several.
  bool copies(const TensorView& in) const { return geometry_.kernel_w > 1 && in.pixel_stride != lanes_; }
  int64_t columns_under(int64_t outputs) const { return (outputs - 1) * geometry_.stride_w + geometry_.kernel_w; }

  ConvGeometry geometry_;
  int64_t lanes_;  // of an input pixel
  GemmF32 gemm_;
};

}  // namespace edgeocr::kernels::x86
