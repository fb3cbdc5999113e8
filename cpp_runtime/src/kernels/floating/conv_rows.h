// Rows of a dense floating point convolution with a window: kernels up to 5 x 5, any steps, zeros around the map.
#pragma once

#include <algorithm>
#include <iterator>

#include "base/tensor.h"
#include "graph/graph.h"
#include "kernels/floating/window.h"
#include "kernels/requant.h"

namespace edgeocr::kernels::floating {

template <class Set> class ConvRows {
 public:
  using T = typename Set::Value;
  using Constants = typename Set::Constants;
  using Form = typename Set::Form;
  using Row = typename Set::Row;

  static constexpr int64_t kEdge = 8;  // outputs at either end of a row whose window is a copy: a register tile's worth
  // Whether windows of all but these outputs lie inside the map.
  static bool has_narrow_edges(const ConvGeometry& g) {
    return g.pad_left <= kEdge && g.pad_right + window_columns(g) - g.kernel_w <= kEdge;
  }

  // One group, no dilation, narrow edges. lanes: output channels, padded to vectors of eight.
  ConvRows(const ConvGeometry& geometry, const graph::Constant& filter, int64_t lanes, const Form& form)
      : geometry_(geometry), lanes_(pixel_stride_of(geometry.in_channels)), columns_(window_columns(geometry)),
        gemm_(make_gemm(filter, lanes, form)) {}

  // Scratch memory of one worker, to be cleared before its first row.
  size_t scratch_elements(const TensorView& in, int64_t out_w) const { return window(in, out_w).elements(); }
  void clear(const TensorView& in, int64_t out_w, T* scratch) const { window(in, out_w).clear(scratch); }

  // Row y of `width` outputs. row: out, and where used start and residual, of the first pixel, with their steps.
  void run(const TensorView& in, int64_t batch, int64_t y, int64_t width, const Row& row, const Constants& constants, T* scratch) const {
    const ConvGeometry& g = geometry_;
    const Window<T> window = this->window(in, width);
    const auto run_part = [&](int64_t x, int64_t pixels) {
      const int64_t top = y * g.stride_h - g.pad_top, left = x * g.stride_w - g.pad_left;
      const typename Window<T>::Rows source = window.at(batch, top, left, columns_under(pixels), scratch);
      Row part = row;
      std::copy_n(source.begin(), g.kernel_h, std::begin(part.segments));
      part.pixel_step = lanes_ * g.stride_w;
      part.pixels = pixels;
      part.first = x;
      part.out += x * part.out_step;
      if (part.start != nullptr) part.start += x * part.start_step;
      gemm_.run(part, constants);
    };
    if (width <= 2 * kEdge) return run_part(0, width);
    // The edges apart from the middle, which is read from the map.
    const int64_t first = g.pad_left > 0 ? kEdge : 0;
    const int64_t last = (width - 1) * g.stride_w - g.pad_left + columns_ > in.shape[3] ? kEdge : 0;
    if (first > 0) run_part(0, first);
    run_part(first, width - first - last);
    if (last > 0) run_part(width - last, last);
  }

 private:
  // Pixels of a window's row, so many that their lanes are what Gemm takes.
  static int64_t window_columns(const ConvGeometry& g) {
    const int64_t lanes = pixel_stride_of(g.in_channels), taken = Set::kGemmLanes;
    const int64_t pixels = g.in_channels == 3 ? Set::kRgbPixels : lanes % taken == 0 ? 1 : taken / lanes;
    return (g.kernel_w + pixels - 1) / pixels * pixels;
  }

  typename Set::Gemm make_gemm(const graph::Constant& filter, int64_t lanes, const Form& form) const {
    const ConvGeometry& g = geometry_;
    const auto values = filter.as<float>();  // OIHW
    const auto weight = [&](int64_t ky, int64_t i, int64_t o) {
      const int64_t kx = i / lanes_, c = i % lanes_;
      if (c >= g.in_channels || o >= g.out_channels || kx >= g.kernel_w) return 0.0f;
      return values[static_cast<size_t>(((o * g.in_channels + c) * g.kernel_h + ky) * g.kernel_w + kx)];
    };
    return {g.kernel_h, columns_ * lanes_, lanes, form, weight, g.in_channels == 3};
  }

  // Rows shorter than two edges are one copy.
  Window<T> window(const TensorView& in, int64_t out_w) const {
    return {in, geometry_.kernel_h, columns_under(std::min(out_w, 2 * kEdge))};
  }
  int64_t columns_under(int64_t outputs) const { return (outputs - 1) * geometry_.stride_w + columns_; }

  ConvGeometry geometry_;
  int64_t lanes_;    // of an input pixel
  int64_t columns_;  // of a window: kernel_w, and those of zero weights where pixels of four lanes would leave less than Gemm takes
  typename Set::Gemm gemm_;
};

}  // namespace edgeocr::kernels::floating
