#include "ocr/crop.h"

#include <algorithm>

#include "base/error.h"
#include "ocr/decode.h"
#include "ocr/geometry.h"
#include "ocr/resize.h"

namespace edgeocr::ocr {
namespace {

constexpr double kUprightRatio = 1.5;
constexpr float kFarthest = 2.0f * kMaxSide;

}  // namespace

Image crop_quad(const Image& picture, const Quad& quad) {
  if (!is_within(quad, kFarthest)) fail("text box has a corner that is no number or farther out than %g pixels", kFarthest);
  const int width = std::max(whole_length(quad[0], quad[1]), whole_length(quad[2], quad[3]));
  const int height = std::max(whole_length(quad[0], quad[3]), whole_length(quad[1], quad[2]));
  if (width < 1 || height < 1) {
    fail("text box is %dx%d, expected sides of at least 1: corners (%g, %g) (%g, %g) (%g, %g) (%g, %g)", width, height, quad[0].x,
         quad[0].y, quad[1].x, quad[1].y, quad[2].x, quad[2].y, quad[3].x, quad[3].y);
  }
  const float right = static_cast<float>(width), bottom = static_cast<float>(height);
  const Matrix3 to_crop = perspective_transform(quad, {{{0, 0}, {right, 0}, {right, bottom}, {0, bottom}}});
  Image crop = warp_perspective_cubic(picture, to_crop, width, height);
  return static_cast<double>(height) / width >= kUprightRatio ? rotate_90_ccw(crop) : crop;
}

}  // namespace edgeocr::ocr
