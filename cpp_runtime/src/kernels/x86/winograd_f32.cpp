#include "kernels/x86/winograd_f32.h"

#include <algorithm>

#include "base/aligned.h"
#include "kernels/floating/winograd_filter.h"

namespace edgeocr::kernels::x86 {

namespace {

constexpr int64_t kSize = 6, kElements = kSize * kSize;  // of a transformed tile

int64_t tiles_of(int64_t width) { return (width + WinogradF32::kTile - 1) / WinogradF32::kTile; }

}  // namespace

WinogradF32::WinogradF32(const graph::Constant& filter, int64_t lanes, const FormF32& form)
    : loops_(current_inner_loops()), in_lanes_(pixel_stride_of(filter.shape[1])), lanes_(lanes), form_(form),
      zeros_(static_cast<size_t>(lanes), 0.0f) {
  // The points of inner_winograd_f32.cpp.
  for (const auto& row : floating::kWinogradFilter4)
    for (const auto& column : floating::kWinogradFilter4)
      gemms_.emplace_back(1, in_lanes_, lanes_, FormF32{}, floating::winograd_weights(filter, row, column));
}

size_t WinogradF32::scratch_elements(const TensorView& in) const {
  const size_t transformed = static_cast<size_t>(kElements * tiles_of(in.shape[3]) * (in_lanes_ + lanes_));
  return align_up(window(in).elements() * sizeof(float)) / sizeof(float) + transformed;
}

// [element][tile][in_lanes]
void WinogradF32::transform_inputs(const TensorView& in, const Band& band, float* patch, float* transformed) const {
  const floating::Window<float> window = this->window(in);
  const int64_t tiles = tiles_of(in.shape[3]);
  for (int64_t tile = 0; tile < tiles; tile++) {
    const floating::Window<float>::Rows rows = window.at(band.batch, band.y - 1, tile * kTile - 1, kSize, patch);
    WinogradInputF32 input{.rows = {},
                           .pixel_step = in_lanes_,
                           .lanes = in_lanes_,
                           .transformed = transformed + tile * in_lanes_,
                           .element_step = tiles * in_lanes_};
    std::copy_n(rows.begin(), kSize, input.rows);
    loops_.winograd_input_f32(input);
  }
}

// From [element][tile][lanes].
void WinogradF32::transform_outputs(const float* products, int64_t width, const Band& band, const ConstantsF32& constants) const {
  const int64_t tiles = tiles_of(width);
  for (int64_t tile = 0; tile < tiles; tile++) {
    const int64_t x = tile * kTile;
    const WinogradOutputF32 output{.products = products + tile * lanes_,
                                   .element_step = tiles * lanes_,
                                   .lanes = lanes_,
                                   .rows = band.rows,
                                   .columns = std::min(kTile, width - x),
                                   .start = band.start == nullptr ? nullptr : band.start + x * lanes_,
                                   .out = band.out + x * lanes_,
                                   .row_step = width * lanes_};
    loops_.winograd_output_f32(output, form_, constants);
  }
}

void WinogradF32::run(const TensorView& in, const Band& band, const ConstantsF32& constants, float* scratch) const {
  const int64_t width = in.shape[3], tiles = tiles_of(width);
  float* transformed = scratch + align_up(window(in).elements() * sizeof(float)) / sizeof(float);
  float* products = transformed + kElements * tiles * in_lanes_;
  transform_inputs(in, band, scratch, transformed);
  const ConstantsF32 no_bias{.bias = zeros_.data()};
  for (int64_t element = 0; element < kElements; element++) {
    RowF32 row;
    row.segments[0] = transformed + element * tiles * in_lanes_;
    row.pixel_step = in_lanes_;
    row.pixels = tiles;
    row.out = products + element * tiles * lanes_;
    row.out_step = lanes_;
    gemms_[static_cast<size_t>(element)].run(row, no_bias);
  }
  transform_outputs(products, width, band, constants);
}

}  // namespace edgeocr::kernels::x86
