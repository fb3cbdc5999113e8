#include "ocr/input.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ocr/resize.h"

namespace edgeocr::ocr {
namespace {

constexpr int kMinRecogniserWidth = 320;
constexpr int kDetectorStride = 32;
// Widest input that sizes are computed for, far above what a session takes; keeps every product in range.
constexpr double kMaxWidth = 1 << 24;

void require_sides(const char* what, int width, int height) {
  if (width < 1 || height < 1) fail("%s is %dx%d, expected sides of at least 1", what, width, height);
}

// Python's round() ties to even, as nearbyint does in the default rounding mode.
int to_stride(int side) {
  const int strides = static_cast<int>(std::nearbyint(side / static_cast<double>(kDetectorStride)));
  return std::max(strides, 1) * kDetectorStride;
}

int content_width(double ratio, int net_height, int net_width) {
  return static_cast<int>(std::min(std::ceil(net_height * ratio), static_cast<double>(net_width)));
}

// What every grey level of one channel becomes.
using LevelTable = std::array<float, 256>;

LevelTable normalised_levels(const Normalisation& normalisation, int channel) {
  constexpr float kReciprocal = static_cast<float>(1.0 / 255.0);
  LevelTable table{};
  for (int level = 0; level < 256; ++level) {
    const float x = static_cast<float>(level);
    const float unit = normalisation.by_reciprocal ? x * kReciprocal : x / 255.0f;
    table[static_cast<size_t>(level)] = (unit - normalisation.mean[channel]) / normalisation.std[channel];
  }
  return table;
}

}  // namespace

Size detector_size(int picture_width, int picture_height, int limit_side_len) {
  require_sides("picture", picture_width, picture_height);
  if (limit_side_len < 1) fail("limit_side_len is %d, expected at least 1", limit_side_len);
  const int longest = std::max(picture_width, picture_height);
  const double ratio = longest > limit_side_len ? static_cast<double>(limit_side_len) / longest : 1.0;
  return {to_stride(static_cast<int>(picture_width * ratio)), to_stride(static_cast<int>(picture_height * ratio))};
}

LineSize recogniser_size(int crop_width, int crop_height, int net_height) {
  require_sides("text line", crop_width, crop_height);
  require_sides("recogniser input", kMinRecogniserWidth, net_height);
  const double ratio = static_cast<double>(crop_width) / crop_height;
  const double widest = std::max(static_cast<double>(kMinRecogniserWidth) / net_height, ratio);
  const int net_width = static_cast<int>(std::min(net_height * widest, kMaxWidth));
  return {net_width, content_width(ratio, net_height, net_width)};
}

LineSize classifier_size(int crop_width, int crop_height) {
  require_sides("text line", crop_width, crop_height);
  return {kClassifierWidth, content_width(static_cast<double>(crop_width) / crop_height, kClassifierHeight, kClassifierWidth)};
}

void fill_input(const Image& picture, int content_width, const Normalisation& normalisation, const TensorView& out, int n) {
  if (out.dtype != DataType::f32 || !out.is_map() || out.shape[1] != 3) {
    fail("network input is %s %s, expected fp32 Nx3xHxW", name_of(out.dtype), out.shape.str().c_str());
  }
  const int height = static_cast<int>(out.shape[2]), width = static_cast<int>(out.shape[3]);
  if (n < 0 || n >= out.shape[0] || content_width < 1 || content_width > width) {
    fail("content %d of batch item %d does not fit the input %s", content_width, n, out.shape.str().c_str());
  }
  const Image content = resize_bilinear(picture, content_width, height);
  const LevelTable blue = normalised_levels(normalisation, 0);
  const LevelTable green = normalised_levels(normalisation, 1);
  const LevelTable red = normalised_levels(normalisation, 2);
  for (int y = 0; y < height; ++y) {
    const uint8_t* from = content.row(y);
    float* to = out.as<float>() + n * out.batch_stride + y * out.row_stride;
    for (int x = 0; x < content_width; ++x, from += 3, to += 4) {
      to[0] = blue[from[0]];
      to[1] = green[from[1]];
      to[2] = red[from[2]];
      to[3] = 0;
    }
    std::fill_n(to, static_cast<ptrdiff_t>(width - content_width) * 4, 0.0f);
  }
}

}  // namespace edgeocr::ocr
