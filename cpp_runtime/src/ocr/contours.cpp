#include <algorithm>
#include <cstdint>

#include "ocr/db.h"

namespace edgeocr::ocr {
namespace {

// Border following after Suzuki and Abe, "Topological structural analysis of digitized binary images by border following"
// (1985), without the hierarchy. A pixel of the labelled grid is background, unseen, on a border, or on a border whose pixel to
// the right was seen to be background: only the last one cannot start a hole border.
enum Label : int8_t { kBackground, kUnseen, kSeen, kSeenFromRight };

// Eight neighbours, counter-clockwise from the right.
constexpr int kStepX[8] = {1, 1, 0, -1, -1, -1, 0, 1};
constexpr int kStepY[8] = {0, -1, -1, -1, 0, 1, 1, 1};
constexpr int kRight = 0, kLeft = 4;
constexpr int opposite(int direction) { return (direction + 4) % 8; }

class BorderTracer {
 public:
  BorderTracer(const uint8_t* mask, int width, int height)
      : width_(width), height_(height), stride_(ptrdiff_t{width} + 2),
        grid_(static_cast<size_t>(stride_) * (static_cast<size_t>(height) + 2), kBackground) {
    for (int y = 0; y < height; ++y) {
      const uint8_t* from = mask + static_cast<ptrdiff_t>(y) * width;
      std::transform(from, from + width, pixel(0, y), [](uint8_t value) { return value ? kUnseen : kBackground; });
    }
    for (int d = 0; d < 8; ++d) step_[d] = kStepX[d] + kStepY[d] * stride_;
  }

  // Calls found(outline) for every border in raster order of its first pixel; the outline is valid during the call.
  template <class Found> void scan(const Found& found) {
    for (int y = 0; y < height_; ++y) {
      const int8_t* row = pixel(0, y);
      for (int x = 0; x < width_; ++x) {
        const int8_t before = row[x - 1], here = row[x];
        if (before == kBackground && here == kUnseen) {
          follow(x, y, kLeft);
        } else if (here == kBackground && (before == kUnseen || before == kSeen)) {
          follow(x - 1, y, kRight);
        } else {
          continue;
        }
        found(outline_);
      }
    }
  }

 private:
  int8_t* pixel(int x, int y) { return grid_.data() + static_cast<ptrdiff_t>(y + 1) * stride_ + x + 1; }

  // Walks the border through (x, y), whose neighbour in direction `background` is background, and labels it. Keeps the points
  // where the direction changes (CHAIN_APPROX_SIMPLE).
  void follow(int x, int y, int background) {
    outline_.clear();
    int8_t* const start = pixel(x, y);
    int direction = background;
    do {
      direction = (direction + 7) % 8;
    } while (start[step_[direction]] == kBackground && direction != background);
    if (direction == background) {  // no neighbour at all
      *start = kSeenFromRight;
      outline_.push_back({x, y});
      return;
    }

    int8_t* const last = start + step_[direction];
    int came_by = opposite(direction);
    for (int8_t* here = start;;) {
      const int searched_from = direction;
      int tries = 0;
      do {
        direction = (direction + 1) % 8;
        ++tries;
      } while (here[step_[direction]] == kBackground);
      const bool passed_right = searched_from + tries > 8;  // the search went over the pixel to the right, which is background
      if (passed_right) {
        *here = kSeenFromRight;
      } else if (*here == kUnseen) {
        *here = kSeen;
      }
      if (direction != came_by) {
        outline_.push_back({x, y});
        came_by = direction;
      }
      int8_t* const next = here + step_[direction];
      if (next == start && here == last) return;
      here = next;
      x += kStepX[direction];
      y += kStepY[direction];
      direction = opposite(direction);
    }
  }

  int width_, height_;
  ptrdiff_t stride_;
  std::vector<int8_t> grid_;  // the mask with a border of background
  ptrdiff_t step_[8];
  Contour outline_;
};

}  // namespace

std::vector<Contour> find_contours(const uint8_t* mask, int width, int height, size_t limit) {
  std::vector<Contour> kept;
  if (width < 1 || height < 1 || limit == 0) return kept;
  // OpenCV lists the borders last found first: a ring keeps the last `limit` of them.
  size_t next = 0;
  BorderTracer(mask, width, height).scan([&](const Contour& outline) {
    if (kept.size() < limit) {
      kept.push_back(outline);
    } else {
      kept[next] = outline;
      next = (next + 1) % limit;
    }
  });
  std::rotate(kept.begin(), kept.begin() + static_cast<ptrdiff_t>(next), kept.end());
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace edgeocr::ocr
