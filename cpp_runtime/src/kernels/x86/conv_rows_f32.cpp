#include "kernels/x86/conv_rows_f32.h"

#include <algorithm>

namespace edgeocr::kernels::x86 {

namespace {

GemmF32 make_gemm(const ConvGeometry& g, const graph::Constant& filter, int64_t in_lanes, int64_t lanes, const FormF32& form) {
  const auto values = filter.as<float>();  // OIHW
  const auto weight = [&](int64_t ky, int64_t i, int64_t o) {
    const int64_t kx = i / in_lanes, c = i % in_lanes;
    if (c >= g.in_channels || o >= g.out_channels) return 0.0f;
    return values[static_cast<size_t>(((o * g.in_channels + c) * g.kernel_h + ky) * g.kernel_w + kx)];
  };
  return {g.kernel_h, g.kernel_w * in_lanes, lanes, form, weight, g.in_channels == 3};
}

}  // namespace

ConvRowsF32::ConvRowsF32(const ConvGeometry& geometry, const graph::Constant& filter, int64_t lanes, const FormF32& form)
    : geometry_(geometry), lanes_(pixel_stride_of(geometry.in_channels)), gemm_(make_gemm(geometry, filter, lanes_, lanes, form)) {}

// Rows shorter than two edges are one copy.
WindowF32 ConvRowsF32::window(const TensorView& in, int64_t out_w) const {
  return {in, geometry_.kernel_h, columns_under(std::min(out_w, 2 * kEdge)), lanes_, copies(in)};
}

void ConvRowsF32::run(const TensorView& in, int64_t batch, int64_t y, int64_t width, const RowF32& row, const ConstantsF32& constants,
                      float* scratch) const {
  const ConvGeometry& g = geometry_;
  const WindowF32 window = this->window(in, width);
  const auto run_part = [&](int64_t x, int64_t pixels) {
    const WindowF32::Pixels source =
        window.at(batch, y * g.stride_h - g.pad_top, x * g.stride_w - g.pad_left, columns_under(pixels), scratch);
    RowF32 part = row;
    std::copy_n(source.rows.begin(), g.kernel_h, part.segments);
    part.pixel_step = source.pixel_step * g.stride_w;
    part.pixels = pixels;
    part.first = x;
    part.out += x * part.out_step;
    if (part.start != nullptr) part.start += x * part.start_step;
    gemm_.run(part, constants);
  };
  if (width <= 2 * kEdge) return run_part(0, width);
  if (copies(in)) {
    for (int64_t x = 0; x < width; x += kEdge) run_part(x, std::min(kEdge, width - x));
    return;
  }
  // The edges apart from the middle, which is read from the map.
  const int64_t left = g.pad_left > 0 ? kEdge : 0;
  const int64_t right = (width - 1) * g.stride_w - g.pad_left + g.kernel_w > in.shape[3] ? kEdge : 0;
  if (left > 0) run_part(0, left);
  run_part(left, width - left - right);
  if (right > 0) run_part(width - right, right);
}

}  // namespace edgeocr::kernels::x86
