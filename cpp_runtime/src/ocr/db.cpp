#include "ocr/db.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ocr/box_order.h"

namespace edgeocr::ocr {
namespace {

// One coordinate from the map to the picture, in float as numpy computes it; ties go to even.
float scaled(float value, int map_side, int picture_side) {
  const float side = static_cast<float>(picture_side);
  return std::clamp(std::nearbyint(value / static_cast<float>(map_side) * side), 0.0f, side);
}

}  // namespace

std::vector<TextBox> decode_db(const float* map, int width, int height, int picture_width, int picture_height,
                               const DbParameters& parameters) {
  std::vector<TextBox> boxes;
  if (width < 1 || height < 1) return boxes;
  if (picture_width < 1 || picture_height < 1) fail("picture is %dx%d, expected sides of at least 1", picture_width, picture_height);
  std::vector<uint8_t> mask(static_cast<size_t>(width) * static_cast<size_t>(height));
  std::transform(map, map + mask.size(), mask.begin(), [&](float probability) { return probability > parameters.thresh; });

  for (const Contour& contour : find_contours(mask.data(), width, height, static_cast<size_t>(std::max(parameters.max_candidates, 0)))) {
    const MiniBox core = mini_box(contour);
    if (core.short_side < static_cast<float>(parameters.min_size)) continue;
    const float score = box_score(map, width, height, core.quad);
    if (!(score >= parameters.box_thresh)) continue;
    const std::vector<PixelPoint> expanded = unclip(core.quad, parameters.unclip_ratio);
    if (expanded.empty()) continue;
    MiniBox box = mini_box(expanded);
    if (box.short_side < static_cast<float>(parameters.min_size + 2)) continue;
    for (Point& corner : box.quad) corner = {scaled(corner.x, width, picture_width), scaled(corner.y, height, picture_height)};
    boxes.push_back({box.quad, score});
  }
  filter_boxes(boxes, picture_width, picture_height);
  sort_boxes(boxes);
  return boxes;
}

}  // namespace edgeocr::ocr
