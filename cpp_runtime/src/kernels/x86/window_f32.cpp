#include "kernels/x86/window_f32.h"

#include <algorithm>
#include <cstring>

namespace edgeocr::kernels::x86 {

void WindowF32::clear(float* scratch) const { std::fill_n(scratch, zeros(), 0.0f); }

WindowF32::Pixels WindowF32::at(int64_t batch, int64_t top, int64_t left, int64_t columns, float* scratch) const {
  const int64_t height = in_.shape[2], width = in_.shape[3];
  const float* map = in_.as<const float>() + batch * in_.batch_stride;
  const bool copy = always_copy_ || left < 0 || left + columns > width;
  Pixels pixels;
  pixels.pixel_step = copy ? lanes_ : in_.pixel_stride;
  const int64_t begin = std::clamp<int64_t>(-left, 0, columns), end = std::clamp<int64_t>(width - left, begin, columns);
  const int64_t stored = std::min(lanes_, in_.pixel_stride);
  for (int64_t i = 0; i < rows_; i++) {
    const float*& row = pixels.rows[static_cast<size_t>(i)];
    const int64_t y = top + i;
    if (y < 0 || y >= height) {
      row = scratch;
      continue;
    }
    const float* source = map + y * in_.row_stride + left * in_.pixel_stride;
    if (!copy) {
      row = source;
      continue;
    }
    float* patch = scratch + zeros() + i * columns_ * lanes_;
    row = patch;
    std::fill_n(patch, begin * lanes_, 0.0f);
    std::fill_n(patch + end * lanes_, (columns - end) * lanes_, 0.0f);
    if (in_.pixel_stride == lanes_) {
      std::memcpy(patch + begin * lanes_, source + begin * lanes_, static_cast<size_t>((end - begin) * lanes_) * sizeof(float));
      continue;
    }
    for (int64_t j = begin; j < end; j++) {
      std::fill_n(patch + j * lanes_, lanes_, 0.0f);
      std::memcpy(patch + j * lanes_, source + j * in_.pixel_stride, static_cast<size_t>(stored) * sizeof(float));
    }
  }
  return pixels;
}

}  // namespace edgeocr::kernels::x86
