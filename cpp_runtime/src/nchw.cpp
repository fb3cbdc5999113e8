#include "nchw.h"

#include <algorithm>

#include "base/error.h"

namespace edgeocr {
namespace {

void require_fp32(const TensorView& view) {
  if (view.dtype != DataType::f32) fail("tensor is %s, expected fp32", name_of(view.dtype));
}

// Calls body(pixel in the map, index of its first channel in NCHW order) for every pixel.
template <class Body> void for_each_pixel(const TensorView& view, const Body& body) {
  const int64_t plane = view.shape[2] * view.shape[3];
  float* pixel = view.as<float>();
  for (int64_t n = 0; n < view.shape[0]; ++n) {
    for (int64_t i = 0; i < plane; ++i, pixel += view.pixel_stride) body(pixel, n * view.shape[1] * plane + i);
  }
}

}  // namespace

void copy_from_nchw(std::span<const float> values, const TensorView& view) {
  require_fp32(view);
  if (static_cast<int64_t>(values.size()) != view.shape.count()) {
    fail("input has %zu values, expected %lld for %s", values.size(), static_cast<long long>(view.shape.count()), view.shape.str().c_str());
  }
  if (!view.is_map()) {
    std::copy(values.begin(), values.end(), view.as<float>());
    return;
  }
  const int64_t channels = view.shape[1], plane = view.shape[2] * view.shape[3];
  for_each_pixel(view, [&](float* pixel, int64_t index) {
    for (int64_t c = 0; c < channels; ++c) pixel[c] = values[static_cast<size_t>(index + c * plane)];
    std::fill(pixel + channels, pixel + view.pixel_stride, 0.0f);
  });
}

std::vector<float> copy_to_nchw(const TensorView& view) {
  require_fp32(view);
  std::vector<float> values(static_cast<size_t>(view.shape.count()));
  if (!view.is_map()) {
    std::copy_n(view.as<float>(), values.size(), values.begin());
    return values;
  }
  const int64_t channels = view.shape[1], plane = view.shape[2] * view.shape[3];
  for_each_pixel(view, [&](const float* pixel, int64_t index) {
    for (int64_t c = 0; c < channels; ++c) values[static_cast<size_t>(index + c * plane)] = pixel[c];
  });
  return values;
}

}  // namespace edgeocr
