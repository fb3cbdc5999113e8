#include "ocr/box_order.h"

#include <algorithm>
#include <cmath>

#include "ocr/geometry.h"

namespace edgeocr::ocr {
namespace {

constexpr int kSmallSide = 3;
constexpr float kLineHeight = 10;

Point clipped(Point p, int width, int height) {
  const float right = static_cast<float>(width - 1), bottom = static_cast<float>(height - 1);
  return {std::trunc(std::clamp(p.x, 0.0f, right)), std::trunc(std::clamp(p.y, 0.0f, bottom))};
}

}  // namespace

Quad order_corners(const Quad& quad) {
  const auto by_sum = [](Point a, Point b) { return a.x + a.y < b.x + b.y; };
  const auto by_difference = [](Point a, Point b) { return a.y - a.x < b.y - b.x; };
  const auto top_left = std::min_element(quad.begin(), quad.end(), by_sum);
  const auto bottom_right = std::max_element(quad.begin(), quad.end(), by_sum);
  std::vector<Point> others;  // two, or three where all sums are equal
  for (auto corner = quad.begin(); corner != quad.end(); ++corner) {
    if (corner != top_left && corner != bottom_right) others.push_back(*corner);
  }
  const Point top_right = *std::min_element(others.begin(), others.end(), by_difference);
  const Point bottom_left = *std::max_element(others.begin(), others.end(), by_difference);
  return {*top_left, top_right, *bottom_right, bottom_left};
}

void filter_boxes(std::vector<TextBox>& boxes, int picture_width, int picture_height) {
  for (TextBox& box : boxes) {
    box.quad = order_corners(box.quad);
    for (Point& corner : box.quad) corner = clipped(corner, picture_width, picture_height);
  }
  std::erase_if(boxes, [](const TextBox& box) {
    return whole_length(box.quad[0], box.quad[1]) <= kSmallSide || whole_length(box.quad[0], box.quad[3]) <= kSmallSide;
  });
}

void sort_boxes(std::vector<TextBox>& boxes) {
  std::stable_sort(boxes.begin(), boxes.end(), [](const TextBox& a, const TextBox& b) {
    const Point p = a.quad[0], q = b.quad[0];
    return p.y != q.y ? p.y < q.y : p.x < q.x;
  });
  for (size_t i = 0; i + 1 < boxes.size(); ++i) {
    for (size_t j = i + 1; j > 0; --j) {
      const Point upper = boxes[j - 1].quad[0], lower = boxes[j].quad[0];
      if (!(std::abs(lower.y - upper.y) < kLineHeight && lower.x < upper.x)) break;
      std::swap(boxes[j - 1], boxes[j]);
    }
  }
}

}  // namespace edgeocr::ocr
