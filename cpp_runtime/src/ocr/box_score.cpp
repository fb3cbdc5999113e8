#include <algorithm>
#include <cfloat>
#include <cmath>

#include "ocr/geometry.h"

namespace edgeocr::ocr {
namespace {

constexpr int kFractionBits = 16;  // OpenCV's XY_SHIFT

struct LongPoint {
  int64_t x = 0, y = 0;
};

// A bit per pixel of the score's window, with cv2.fillPoly's pixels (OpenCV 4.11): the outline as 8-connected lines, and between
// the edges of every row the whole pixels.
class PolygonMask {
 public:
  PolygonMask(int width, int height) : width_(width), height_(height), set_(static_cast<size_t>(width) * static_cast<size_t>(height)) {}

  void fill(std::span<const PixelPoint> corners) {
    std::vector<Edge> edges;
    PixelPoint from = corners.back();
    for (PixelPoint to : corners) {
      add_edge({from.x, from.y}, {to.x, to.y}, edges);
      from = to;
    }
    fill_between(edges);
  }

  const uint8_t* row(int y) const { return set_.data() + static_cast<ptrdiff_t>(y) * width_; }

 private:
  // Rows top … bottom - 1; x and its step from row to row are fixed-point.
  struct Edge {
    int64_t top, bottom, x, step;
    int64_t x_at(int64_t y) const { return x + (y - top) * step; }
  };

  bool contains(LongPoint p) const { return p.x >= 0 && p.x < width_ && p.y >= 0 && p.y < height_; }

  // Bits of the sides of the window that the point lies behind.
  int outside(LongPoint p) const { return (p.x < 0) | (p.x >= width_) << 1 | (p.y < 0) << 2 | (p.y >= height_) << 3; }

  // Moves `p` along the line to `q` onto the row, or else the column, of the window that it lies behind.
  void move_to_row(LongPoint& p, LongPoint q) const {
    const int64_t y = p.y < 0 ? 0 : height_ - 1;
    p = {p.x + (y - p.y) * (q.x - p.x) / (q.y - p.y), y};
  }
  void move_to_column(LongPoint& p, LongPoint q) const {
    const int64_t x = p.x < 0 ? 0 : width_ - 1;
    p = {x, p.y + (x - p.x) * (q.y - p.y) / (q.x - p.x)};
  }

  // cv2.clipLine: rows first, then columns; false where nothing of the line is inside, and the points may have moved even so.
  bool clip(LongPoint& p, LongPoint& q) const {
    const auto crosses = [&] { return (outside(p) & outside(q)) == 0 && (outside(p) | outside(q)) != 0; };
    constexpr int kRows = 4 | 8, kColumns = 1 | 2;
    if (crosses()) {
      if (outside(p) & kRows) move_to_row(p, q);
      if (outside(q) & kRows) move_to_row(q, p);
      if (crosses()) {
        if (outside(p) & kColumns) move_to_column(p, q);
        if (outside(q) & kColumns) move_to_column(q, p);
      }
    }
    return (outside(p) | outside(q)) == 0;
  }

  void add_edge(LongPoint from, LongPoint to, std::vector<Edge>& edges) {
    LongPoint p = from, q = to;
    const bool visible = (contains(p) && contains(q)) || clip(p, q);
    if (visible) draw_line(p, q);
    if (from.y == to.y) return;
    // The clipped points give the slope, unless clipping left them on one row.
    const LongPoint first{p.x, p.y != q.y ? p.y : from.y}, second{q.x, p.y != q.y ? q.y : to.y};
    const int64_t step = ((second.x - first.x) << kFractionBits) / (second.y - first.y);
    const LongPoint upper = from.y < to.y ? first : second;
    const int64_t top = std::min(from.y, to.y);
    edges.push_back({top, std::max(from.y, to.y), (upper.x << kFractionBits) + (top - upper.y) * step, step});
  }

  // Bresenham's line from the left end to the right one, both inside.
  void draw_line(LongPoint p, LongPoint q) {
    if (q.x < p.x) std::swap(p, q);
    const int64_t dx = q.x - p.x, dy = std::abs(q.y - p.y);
    const ptrdiff_t down = q.y < p.y ? -width_ : width_;
    const ptrdiff_t major = dy > dx ? down : 1, minor = dy > dx ? 1 : down;
    const int64_t length = std::max(dx, dy), rise = std::min(dx, dy);
    int64_t error = length - 2 * rise;
    uint8_t* pixel = set_.data() + p.y * width_ + p.x;
    for (int64_t i = 0; i <= length; ++i) {
      *pixel = 1;
      const bool steps_aside = error < 0;
      error += (steps_aside ? 2 * length : 0) - 2 * rise;
      if (i < length) pixel += major + (steps_aside ? minor : 0);
    }
  }

  void fill_between(const std::vector<Edge>& edges) {
    std::vector<int64_t> crossings;
    for (int64_t y = 0; y < height_; ++y) {
      crossings.clear();
      for (const Edge& edge : edges) {
        if (edge.top <= y && y < edge.bottom) crossings.push_back(edge.x_at(y));
      }
      std::sort(crossings.begin(), crossings.end());
      for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
        const int64_t first = std::max<int64_t>((crossings[i] + (1 << kFractionBits) - 1) >> kFractionBits, 0);
        const int64_t last = std::min<int64_t>(crossings[i + 1] >> kFractionBits, width_ - 1);
        if (first <= last) std::fill_n(set_.data() + y * width_ + first, last - first + 1, uint8_t{1});
      }
    }
  }

  int width_, height_;
  std::vector<uint8_t> set_;
};

int clamped(float value, int last) { return static_cast<int>(std::clamp(value, 0.0f, static_cast<float>(last))); }

// astype(int32): towards zero. What lies farther out fills the same pixels.
int cut(float value) {
  constexpr float kFarthest = 1 << 24;
  return static_cast<int>(std::clamp(value, -kFarthest, kFarthest));
}

}  // namespace

float box_score(const float* map, int width, int height, const Quad& quad) {
  if (width < 1 || height < 1 || !is_within(quad, FLT_MAX)) return 0;
  const auto [left, right] = std::minmax({quad[0].x, quad[1].x, quad[2].x, quad[3].x});
  const auto [top, bottom] = std::minmax({quad[0].y, quad[1].y, quad[2].y, quad[3].y});
  const int x0 = clamped(std::floor(left), width - 1), x1 = clamped(std::ceil(right), width - 1);
  const int y0 = clamped(std::floor(top), height - 1), y1 = clamped(std::ceil(bottom), height - 1);

  PolygonMask mask(x1 - x0 + 1, y1 - y0 + 1);
  std::array<PixelPoint, 4> corners;
  std::transform(quad.begin(), quad.end(), corners.begin(),
                 [&](Point p) { return PixelPoint{cut(p.x - static_cast<float>(x0)), cut(p.y - static_cast<float>(y0))}; });
  mask.fill(corners);

  double sum = 0;
  int64_t count = 0;
  for (int y = y0; y <= y1; ++y) {
    const float* values = map + static_cast<ptrdiff_t>(y) * width + x0;
    const uint8_t* set = mask.row(y - y0);
    for (int x = 0; x <= x1 - x0; ++x) {
      if (!set[x]) continue;
      sum += values[x];
      ++count;
    }
  }
  return count > 0 ? static_cast<float>(sum / static_cast<double>(count)) : 0.0f;
}

}  // namespace edgeocr::ocr
