// Pictures: 8-bit, three channels, interleaved B G R as OpenCV's imread gives them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace edgeocr::ocr {

struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> bgr;  // height * width * 3

  Image() = default;
  Image(int w, int h) : width(w), height(h), bgr(static_cast<size_t>(w) * static_cast<size_t>(h) * 3) {}
  const uint8_t* row(int y) const { return bgr.data() + static_cast<size_t>(y) * static_cast<size_t>(width) * 3; }
  uint8_t* row(int y) { return bgr.data() + static_cast<size_t>(y) * static_cast<size_t>(width) * 3; }
};

struct Point {
  float x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

// Clockwise from the top left corner, in picture pixels.
using Quad = std::array<Point, 4>;

}  // namespace edgeocr::ocr
