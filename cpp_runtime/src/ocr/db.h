// DB decoding: probability map → text boxes, with PaddleOCR's DBPostProcess (box_type quad, score_mode fast) and its
// box ordering. Source of every rule: PaddleOCR's db_postprocess.py, predict_det.py, predict_system.py; the geometry under them
// is OpenCV's (4.11, 4.12) and Clipper's (6.4), to the bit where a step says so.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "ocr/image.h"

namespace edgeocr::ocr {

struct DbParameters {
  float thresh = 0.3f;        // binarisation of the map
  float box_thresh = 0.6f;    // mean probability inside the box
  int max_candidates = 1000;  // contours looked at
  float unclip_ratio = 1.5f;  // distance = area * ratio / perimeter
  int min_size = 3;           // short side before unclip; + 2 after
};

struct TextBox {
  Quad quad;
  float score = 0;
};

struct PixelPoint {
  int x = 0, y = 0;
  bool operator==(const PixelPoint&) const = default;
};
using Contour = std::vector<PixelPoint>;

// The first `limit` of cv2.findContours(mask, RETR_LIST, CHAIN_APPROX_SIMPLE) of a mask of 0 / non-zero bytes: same order, same
// points.
std::vector<Contour> find_contours(const uint8_t* mask, int width, int height, size_t limit = std::numeric_limits<size_t>::max());

// cv2.convexHull(points): the corners without collinear ones, in its order, starting where it starts.
std::vector<PixelPoint> convex_hull(std::span<const PixelPoint> points);

// cv2.boxPoints(cv2.minAreaRect(points)) in the order of PaddleOCR's get_mini_boxes (two leftmost corners by y, two rightmost by
// y, then clockwise from top left), and the shorter side. `points` is not empty.
struct MiniBox {
  Quad quad;
  float short_side = 0;
};
MiniBox mini_box(std::span<const PixelPoint> points);

// pyclipper: offset of the closed polygon by distance = area * ratio / length, JT_ROUND, arc tolerance 0.25, corners cut to
// integers before as pyclipper does: same points, same order. Empty where the cut quad is not convex or has no area.
std::vector<PixelPoint> unclip(const Quad& quad, float unclip_ratio);

// box_score_fast: mean of the map over the filled polygon (cv2.fillPoly's pixels).
float box_score(const float* map, int width, int height, const Quad& quad);

// map: height x width probabilities; boxes come out scaled to picture_width x picture_height, corners ordered, clipped, made
// integer, small ones dropped, in reading order (box_order.h). NaN counts as below thresh.
std::vector<TextBox> decode_db(const float* map, int width, int height, int picture_width, int picture_height,
                               const DbParameters& parameters);

}  // namespace edgeocr::ocr
