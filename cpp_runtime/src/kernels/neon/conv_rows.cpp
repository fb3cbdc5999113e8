#include "kernels/neon/conv_rows.h"

#include <algorithm>

namespace edgeocr::kernels::neon {

namespace {

// Pixels of a window's row, so many that their lanes are what Gemm takes.
template <class T> int64_t window_columns(const ConvGeometry& g) {
  const int64_t lanes = pixel_stride_of(g.in_channels), vector = Vec<T>::kLanes;
  const int64_t pixels = g.in_channels == 3 ? Gemm<T>::kRgbPixels : lanes % vector == 0 ? 1 : vector / lanes;
  return (g.kernel_w + pixels - 1) / pixels * pixels;
}

template <class T>
Gemm<T> make_gemm(const ConvGeometry& g, const graph::Constant& filter, int64_t in_lanes, int64_t columns, int64_t lanes,
                  const FloatForm& form) {
  const auto values = filter.as<float>();  // OIHW
  const auto weight = [&](int64_t ky, int64_t i, int64_t o) {
    const int64_t kx = i / in_lanes, c = i % in_lanes;
    if (c >= g.in_channels || o >= g.out_channels || kx >= g.kernel_w) return 0.0f;
    return values[static_cast<size_t>(((o * g.in_channels + c) * g.kernel_h + ky) * g.kernel_w + kx)];
  };
  return {g.kernel_h, columns * in_lanes, lanes, form, weight, g.in_channels == 3};
}

}  // namespace

template <class T>
ConvRows<T>::ConvRows(const ConvGeometry& geometry, const graph::Constant& filter, int64_t lanes, const FloatForm& form)
    : geometry_(geometry), lanes_(pixel_stride_of(geometry.in_channels)), columns_(window_columns<T>(geometry)),
      gemm_(make_gemm<T>(geometry, filter, lanes_, columns_, lanes, form)) {}

// Rows shorter than two edges are one copy.
template <class T> Window<T> ConvRows<T>::window(const TensorView& in, int64_t out_w) const {
  return {in, geometry_.kernel_h, columns_under(std::min(out_w, 2 * kEdge)), lanes_, copies(in)};
}

template <class T>
void ConvRows<T>::run(const TensorView& in, int64_t batch, int64_t y, int64_t width, const Row<T>& row, const Constants<T>& constants,
                      T* scratch) const {
  const ConvGeometry& g = geometry_;
  const Window<T> window = this->window(in, width);
  const auto run_part = [&](int64_t x, int64_t pixels) {
    const int64_t top = y * g.stride_h - g.pad_top, left = x * g.stride_w - g.pad_left;
    const typename Window<T>::Pixels source = window.at(batch, top, left, columns_under(pixels), scratch);
    Row<T> part = row;
    std::copy_n(source.rows.begin(), g.kernel_h, part.segments.begin());
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
  const int64_t first = g.pad_left > 0 ? kEdge : 0;
  const int64_t last = (width - 1) * g.stride_w - g.pad_left + columns_ > in.shape[3] ? kEdge : 0;
  if (first > 0) run_part(0, first);
  run_part(first, width - first - last);
  if (last > 0) run_part(width - last, last);
}

template class ConvRows<float>;
template class ConvRows<Half>;

}  // namespace edgeocr::kernels::neon
