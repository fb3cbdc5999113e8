// What several steps measure.
#pragma once

#include <algorithm>
#include <cmath>

#include "ocr/db.h"

namespace edgeocr::ocr {

// > 0 where a → b → c turns right on the screen (y down).
inline int64_t cross(PixelPoint a, PixelPoint b, PixelPoint c) {
  return (int64_t{b.x} - a.x) * (int64_t{c.y} - b.y) - (int64_t{b.y} - a.y) * (int64_t{c.x} - b.x);
}

// int(np.linalg.norm(a - b)) of float32 points.
inline int whole_length(Point a, Point b) {
  const float dx = a.x - b.x, dy = a.y - b.y;
  return static_cast<int>(std::sqrt(dx * dx + dy * dy));
}

// Whether every corner is a number and at most `reach` from 0 on both axes.
inline bool is_within(const Quad& quad, float reach) {
  return std::all_of(quad.begin(), quad.end(), [&](Point p) { return std::abs(p.x) <= reach && std::abs(p.y) <= reach; });
}

}  // namespace edgeocr::ocr
