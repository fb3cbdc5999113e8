#include <algorithm>
#include <numeric>

#include "ocr/geometry.h"

namespace edgeocr::ocr {
namespace {

using Indices = std::vector<int>;

int sign(int64_t value) { return (value > 0) - (value < 0); }

// One quarter of the hull: from an end of the points sorted by x to the lowest or highest of them (Sklansky's scan). Points that
// step back in y are skipped; a corner stays where it turns by `turn`, strictly, so that of equal points the last one does.
class QuarterScan {
 public:
  QuarterScan(std::span<const PixelPoint> points, const Indices& by_x) : points_(points), by_x_(by_x) {}

  // Positions in by_x, `first` and the last one included. `y_step` is the sign of y's change on the way.
  Indices run(int first, int last, int y_step, int turn) const {
    Indices corners{first};
    if (at(first) == at(last)) return corners;
    const int step = last > first ? 1 : -1;
    for (int next = first + step; next != last + step; next += step) {
      if (sign(int64_t{at(next).y} - at(corners.back()).y) == -y_step && corners.size() > 1) continue;
      while (corners.size() > 1 && sign(cross(at(corners[corners.size() - 2]), at(corners.back()), at(next))) != turn) corners.pop_back();
      corners.push_back(next);
    }
    return corners;
  }

 private:
  PixelPoint at(int position) const { return points_[static_cast<size_t>(by_x_[static_cast<size_t>(position)])]; }

  std::span<const PixelPoint> points_;
  const Indices& by_x_;
};

// All of `there` but its last, then all of `back` reversed but its first: the two quarters that meet in one extreme.
void append_half(const Indices& there, const Indices& back, Indices& hull) {
  hull.insert(hull.end(), there.begin(), there.end() - 1);
  hull.insert(hull.end(), back.rbegin(), back.rend() - 1);
}

// OpenCV turns the hull so that indices into the input ascend or descend, where a turn can do that.
void start_at_monotone_index(Indices& hull) {
  const size_t n = hull.size();
  if (n < 3) return;
  for (const bool ascending : {true, false}) {
    const auto first = ascending ? std::min_element(hull.begin(), hull.end()) : std::max_element(hull.begin(), hull.end());
    Indices turned(first, hull.end());
    turned.insert(turned.end(), hull.begin(), first);
    if (ascending ? std::is_sorted(turned.begin(), turned.end()) : std::is_sorted(turned.rbegin(), turned.rend())) {
      hull = std::move(turned);
      return;
    }
  }
}

}  // namespace

std::vector<PixelPoint> convex_hull(std::span<const PixelPoint> points) {
  if (points.empty()) return {};
  const int count = static_cast<int>(points.size());
  const auto at = [&](int index) { return points[static_cast<size_t>(index)]; };
  Indices by_x(points.size());
  std::iota(by_x.begin(), by_x.end(), 0);
  std::sort(by_x.begin(), by_x.end(), [&](int a, int b) {
    if (at(a).x != at(b).x) return at(a).x < at(b).x;
    return at(a).y != at(b).y ? at(a).y < at(b).y : a < b;
  });
  const auto y_of = [&](int a, int b) { return at(a).y < at(b).y; };
  const int lowest = static_cast<int>(std::min_element(by_x.begin(), by_x.end(), y_of) - by_x.begin());
  const int highest = static_cast<int>(std::max_element(by_x.begin(), by_x.end(), y_of) - by_x.begin());
  if (at(by_x.front()) == at(by_x.back())) return {points[0]};

  const QuarterScan scan(points, by_x);
  const Indices left_up = scan.run(0, highest, 1, -1), right_up = scan.run(count - 1, highest, 1, 1);
  Indices left_down = scan.run(0, lowest, -1, 1), right_down = scan.run(count - 1, lowest, -1, -1);
  Indices hull;
  append_half(right_up, left_up, hull);
  // Where all points lie on one line, the lower half repeats the upper one: only its ends count.
  const int upper = left_up.size() > 2 ? left_up[1] : right_up.size() > 2 ? right_up[right_up.size() - 2] : -1;
  const int lower = left_down.size() > 2 ? left_down[1] : left_down.size() + right_down.size() > 2 ? right_down[2 - left_down.size()] : -1;
  if (upper >= 0 && lower >= 0 && at(by_x[static_cast<size_t>(upper)]) == at(by_x[static_cast<size_t>(lower)])) {
    left_down.resize(std::min<size_t>(left_down.size(), 2));
    right_down.resize(std::min<size_t>(right_down.size(), 2));
  }
  append_half(left_down, right_down, hull);

  for (int& position : hull) position = by_x[static_cast<size_t>(position)];
  start_at_monotone_index(hull);
  std::vector<PixelPoint> corners;
  for (int index : hull) corners.push_back(at(index));
  return corners;
}

}  // namespace edgeocr::ocr
