#include <algorithm>
#include <cfloat>
#include <cmath>
#include <numbers>

#include "ocr/db.h"

namespace edgeocr::ocr {
namespace {

struct RotatedRect {
  Point centre;
  float width = 0, height = 0;
  float angle = 0;  // degrees
};

Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
float dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
// Turned back by `quarters` times 90°, from the side of the rectangle that a caliper lies on to its first side.
Point turned_back(Point v, int quarters) {
  switch (quarters) {
    case 0: return v;
    case 1: return {v.y, -v.x};
    case 2: return {-v.x, -v.y};
    default: return {-v.y, v.x};
  }
}

// Rotating calipers over a convex polygon of at least three corners, as cv2.minAreaRect does it up to OpenCV 4.12: in float, every
// tie by the same comparison. Four calipers touch the polygon; the one whose next edge turns least sets the direction.
class Calipers {
 public:
  explicit Calipers(std::span<const Point> corners) : corners_(corners), edges_(corners.size()), inverse_lengths_(corners.size()) {
    const size_t n = corners.size();
    for (size_t i = 0; i < n; ++i) {
      edges_[i] = corners[i + 1 < n ? i + 1 : 0] - corners[i];
      const double dx = edges_[i].x, dy = edges_[i].y;
      inverse_lengths_[i] = static_cast<float>(1.0 / std::sqrt(dx * dx + dy * dy));
    }
    const auto by_x = [](Point a, Point b) { return a.x < b.x; };
    const auto by_y = [](Point a, Point b) { return a.y < b.y; };
    touching_ = {
        index(std::min_element(corners.begin(), corners.end(), by_y)), index(std::max_element(corners.begin(), corners.end(), by_x)),
        index(std::max_element(corners.begin(), corners.end(), by_y)), index(std::min_element(corners.begin(), corners.end(), by_x))};
  }

  RotatedRect smallest() {
    float least_area = FLT_MAX;
    Best best;
    for (size_t turn = 0; turn < corners_.size(); ++turn) {
      const Point side = next_side();
      const Point across = corners_[touching_[1]] - corners_[touching_[3]], up = corners_[touching_[2]] - corners_[touching_[0]];
      const float width = dot(across, side), height = -up.x * side.y + up.y * side.x;
      const float area = width * height;
      if (area > least_area) continue;
      least_area = area;
      best = {touching_[3], touching_[0], side, width, height};
    }
    return to_rect(best);
  }

 private:
  struct Best {
    size_t left = 0, bottom = 0;
    Point side{1, 0};
    float width = 0, height = 0;
  };

  size_t index(std::span<const Point>::iterator it) const { return static_cast<size_t>(it - corners_.begin()); }

  // Turns the calipers onto the nearest edge; the unit vector of the rectangle's first side.
  Point next_side() {
    int nearest = 0;
    for (int i = 1; i < 4; ++i) {
      const Point turned = turned_back(turned_back(edge(i), i), 1);
      if (dot(turned, turned_back(edge(nearest), nearest)) < 0) nearest = i;
    }
    size_t& corner = touching_[static_cast<size_t>(nearest)];
    const Point unit{edges_[corner].x * inverse_lengths_[corner], edges_[corner].y * inverse_lengths_[corner]};
    corner = corner + 1 == corners_.size() ? 0 : corner + 1;
    return turned_back(unit, nearest);
  }

  Point edge(int caliper) const { return edges_[touching_[static_cast<size_t>(caliper)]]; }

  // The corner where the lines through the left and the bottom touching points meet, and the two sides from there.
  RotatedRect to_rect(const Best& best) const {
    const float a1 = best.side.x, b1 = best.side.y, a2 = -best.side.y, b2 = best.side.x;
    const Point left = corners_[best.left], bottom = corners_[best.bottom];
    const float c1 = a1 * left.x + left.y * b1, c2 = a2 * bottom.x + bottom.y * b2;
    const float inverse_determinant = 1.0f / (a1 * b2 - a2 * b1);
    const Point origin{(c1 * b2 - c2 * b1) * inverse_determinant, (a1 * c2 - a2 * c1) * inverse_determinant};
    const Point across{a1 * best.width, b1 * best.width}, up{a2 * best.height, b2 * best.height};
    RotatedRect rect;
    rect.centre = {origin.x + (across.x + up.x) * 0.5f, origin.y + (across.y + up.y) * 0.5f};
    rect.width = length(across);
    rect.height = length(up);
    rect.angle = static_cast<float>(std::atan2(static_cast<double>(across.y), static_cast<double>(across.x)));
    return rect;
  }

  static float length(Point v) { return static_cast<float>(std::sqrt(static_cast<double>(v.x) * v.x + static_cast<double>(v.y) * v.y)); }

  std::span<const Point> corners_;
  std::vector<Point> edges_;  // from a corner to the next
  std::vector<float> inverse_lengths_;
  std::array<size_t, 4> touching_;  // corner under the calipers of least y, greatest x, greatest y, least x
};

RotatedRect min_area_rect(std::span<const PixelPoint> points) {
  std::vector<Point> hull;
  for (PixelPoint p : convex_hull(points)) hull.push_back({static_cast<float>(p.x), static_cast<float>(p.y)});
  RotatedRect rect;
  if (hull.size() > 2) {
    rect = Calipers(hull).smallest();
  } else if (hull.size() == 2) {
    rect.centre = {(hull[0].x + hull[1].x) * 0.5f, (hull[0].y + hull[1].y) * 0.5f};
    const double dx = hull[1].x - hull[0].x, dy = hull[1].y - hull[0].y;
    rect.width = static_cast<float>(std::sqrt(dx * dx + dy * dy));
    rect.angle = static_cast<float>(std::atan2(dy, dx));
  } else if (hull.size() == 1) {
    rect.centre = hull[0];
  }
  rect.angle = static_cast<float>(rect.angle * 180 / std::numbers::pi);
  return rect;
}

// cv2.boxPoints.
Quad corners_of(const RotatedRect& rect) {
  const double radians = rect.angle * std::numbers::pi / 180.0;
  const float b = static_cast<float>(std::cos(radians)) * 0.5f, a = static_cast<float>(std::sin(radians)) * 0.5f;
  const Point c = rect.centre;
  Quad quad;
  quad[0] = {c.x - a * rect.height - b * rect.width, c.y + b * rect.height - a * rect.width};
  quad[1] = {c.x + a * rect.height - b * rect.width, c.y - b * rect.height - a * rect.width};
  quad[2] = {2 * c.x - quad[0].x, 2 * c.y - quad[0].y};
  quad[3] = {2 * c.x - quad[1].x, 2 * c.y - quad[1].y};
  return quad;
}

}  // namespace

MiniBox mini_box(std::span<const PixelPoint> points) {
  const RotatedRect rect = min_area_rect(points);
  Quad by_x = corners_of(rect);
  std::stable_sort(by_x.begin(), by_x.end(), [](Point a, Point b) { return a.x < b.x; });
  const bool left_in_order = by_x[1].y > by_x[0].y, right_in_order = by_x[3].y > by_x[2].y;
  const Point top_left = by_x[left_in_order ? 0 : 1], bottom_left = by_x[left_in_order ? 1 : 0];
  const Point top_right = by_x[right_in_order ? 2 : 3], bottom_right = by_x[right_in_order ? 3 : 2];
  return {{top_left, top_right, bottom_right, bottom_left}, std::min(rect.width, rect.height)};
}

}  // namespace edgeocr::ocr
