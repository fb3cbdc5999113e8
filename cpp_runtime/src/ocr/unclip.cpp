#include <algorithm>
#include <cmath>
#include <numbers>

#include "ocr/geometry.h"

namespace edgeocr::ocr {
namespace {

constexpr double kArcTolerance = 0.25;  // pyclipper's default, in pixels

struct Vector {
  double x = 0, y = 0;
};

// Shapely's area and length of the quad, from its float corners.
double area_of(const Quad& quad) {
  double twice = 0;
  for (size_t i = 1; i < 4; ++i) {
    twice += (double{quad[i].x} - double{quad[0].x}) * (double{quad[(i + 1) % 4].y} - double{quad[i - 1].y});
  }
  return std::abs(twice / 2);
}

double length_of(const Quad& quad) {
  double length = 0;
  for (size_t i = 0; i < 4; ++i) {
    const double dx = double{quad[(i + 1) % 4].x} - double{quad[i].x}, dy = double{quad[(i + 1) % 4].y} - double{quad[i].y};
    length += std::sqrt(dx * dx + dy * dy);
  }
  return length;
}

// Beyond any map: corners and offsets that are larger, or NaN, give no polygon.
constexpr float kFarthest = 1 << 24;

// Corners cut to integers, repeats dropped, clockwise on the screen; empty unless convex with an area.
std::vector<PixelPoint> to_convex_polygon(const Quad& quad) {
  std::vector<PixelPoint> polygon;
  for (Point p : quad) {
    const PixelPoint cut{static_cast<int>(p.x), static_cast<int>(p.y)};
    if (polygon.empty() || polygon.back() != cut) polygon.push_back(cut);
  }
  while (polygon.size() > 1 && polygon.front() == polygon.back()) polygon.pop_back();
  const size_t n = polygon.size();
  int left_turns = 0, right_turns = 0;
  for (size_t i = 0; n >= 3 && i < n; ++i) {
    const int64_t turn = cross(polygon[i], polygon[(i + 1) % n], polygon[(i + 2) % n]);
    left_turns += turn < 0;
    right_turns += turn > 0;
  }
  if ((left_turns == 0) == (right_turns == 0)) return {};
  if (left_turns > 0) std::reverse(polygon.begin(), polygon.end());
  return polygon;
}

// Clipper's offset of a convex polygon by `delta` > 0 with round joins, with its order of operations and its rounding.
class RoundOffset {
 public:
  explicit RoundOffset(double delta) : delta_(delta) {
    const double tolerance = std::min(kArcTolerance, delta * kArcTolerance);
    const double steps = std::min(std::numbers::pi / std::acos(1 - tolerance / delta), delta * std::numbers::pi);
    sine_ = std::sin(2 * std::numbers::pi / steps);
    cosine_ = std::cos(2 * std::numbers::pi / steps);
    steps_per_radian_ = steps / (2 * std::numbers::pi);
  }

  std::vector<PixelPoint> run(const std::vector<PixelPoint>& polygon) {
    const size_t n = polygon.size();
    std::vector<Vector> normals;
    for (size_t i = 0; i < n; ++i) normals.push_back(normal(polygon[i], polygon[(i + 1) % n]));
    size_t before = n - 1;
    for (size_t i = 0; i < n; ++i) {
      if (join(polygon[i], normals[before], normals[i])) before = i;
    }
    return std::move(out_);
  }

 private:
  static Vector normal(PixelPoint a, PixelPoint b) {
    const double dx = b.x - a.x, dy = b.y - a.y, scale = 1.0 / std::sqrt(dx * dx + dy * dy);
    return {dy * scale, -(dx * scale)};
  }

  static int rounded(double value) { return static_cast<int>(value < 0 ? value - 0.5 : value + 0.5); }

  void emit(PixelPoint corner, Vector direction) {
    out_.push_back({rounded(corner.x + direction.x * delta_), rounded(corner.y + direction.y * delta_)});
  }

  // The arc around one corner. False where the edges are so nearly straight that one point stands for it; the next corner is
  // then measured from the same edge again, as Clipper does.
  bool join(PixelPoint corner, Vector before, Vector after) {
    double sine = before.x * after.y - after.x * before.y;
    const double cosine = before.x * after.x + before.y * after.y;
    if (std::abs(sine * delta_) < 1.0 && cosine > 0) {
      emit(corner, before);
      return false;
    }
    if (sine < 0) {  // hollow against an edge that was passed over
      emit(corner, before);
      out_.push_back(corner);
      emit(corner, after);
      return true;
    }
    sine = std::min(sine, 1.0);
    const int steps = std::max(rounded(steps_per_radian_ * std::abs(std::atan2(sine, cosine))), 1);
    Vector direction = before;
    for (int i = 0; i < steps; ++i) {
      emit(corner, direction);
      direction = {direction.x * cosine_ - sine_ * direction.y, direction.x * sine_ + direction.y * cosine_};
    }
    emit(corner, after);
    return true;
  }

  double delta_, sine_ = 0, cosine_ = 0, steps_per_radian_ = 0;
  std::vector<PixelPoint> out_;
};

// What Clipper's final union does to such a polygon: repeated and collinear points go.
void drop_needless_points(std::vector<PixelPoint>& polygon) {
  for (bool changed = true; changed && polygon.size() > 2;) {
    changed = false;
    for (size_t i = 0; i < polygon.size() && polygon.size() > 2;) {
      const size_t n = polygon.size();
      const PixelPoint before = polygon[(i + n - 1) % n], after = polygon[(i + 1) % n];
      if (polygon[i] == after || cross(before, polygon[i], after) == 0) {
        polygon.erase(polygon.begin() + static_cast<ptrdiff_t>(i));
        changed = true;
      } else {
        ++i;
      }
    }
  }
}

// Clipper sweeps from the greatest y to the least and lists its result from there: the rightmost point of the top row comes last.
void start_after_top(std::vector<PixelPoint>& polygon) {
  const auto is_before = [](PixelPoint a, PixelPoint b) { return a.y != b.y ? a.y < b.y : a.x > b.x; };
  const auto top = std::min_element(polygon.begin(), polygon.end(), is_before);
  if (top != polygon.end()) std::rotate(polygon.begin(), top + 1, polygon.end());
}

}  // namespace

std::vector<PixelPoint> unclip(const Quad& quad, float unclip_ratio) {
  if (!is_within(quad, kFarthest)) return {};
  const std::vector<PixelPoint> polygon = to_convex_polygon(quad);
  if (polygon.empty()) return {};
  const double delta = area_of(quad) * double{unclip_ratio} / length_of(quad);
  if (!(delta > 0 && delta <= kFarthest)) return {};
  std::vector<PixelPoint> expanded = RoundOffset(delta).run(polygon);
  drop_needless_points(expanded);
  start_after_top(expanded);
  return expanded;
}

}  // namespace edgeocr::ocr
