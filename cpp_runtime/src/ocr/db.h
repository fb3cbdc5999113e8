// DB decoding: probability map → text boxes, with PaddleOCR's DBPostProcess (box_type quad, score_mode fast) and its
// box ordering. Source of every rule: PaddleOCR's db_postprocess.py, predict_det.py, predict_system.py.
#pragma once

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

struct Contour { std::vector<std::array<int, 2>> points; };  // x, y
// cv2.findContours(mask, RETR_LIST, CHAIN_APPROX_SIMPLE) of a mask of 0 / non-zero bytes, same order and same points.
std::vector<Contour> find_contours(const uint8_t* mask, int width, int height);

// cv2.minAreaRect + PaddleOCR's get_mini_boxes: corners in its order, and the short side.
struct MiniBox { Quad quad; float short_side = 0; };
MiniBox mini_box(const std::vector<Point>& points);

// pyclipper: offset of the closed polygon by distance = area * ratio / length, JT_ROUND, arc tolerance 0.25; integer result points.
// Empty where clipper gives none or more than one path.
std::vector<Point> unclip(const Quad& quad, float unclip_ratio);

// box_score_fast: mean of the map over the filled polygon (cv2.fillPoly's pixels).
float box_score(const float* map, int width, int height, const Quad& quad);

// map: height x width probabilities; boxes come out scaled to picture_width x picture_height, corners ordered, clipped, made
// integer, small ones dropped, in reading order (see each step in db.cpp).
std::vector<TextBox> decode_db(const float* map, int width, int height, int picture_width, int picture_height, const DbParameters& parameters);

}  // namespace edgeocr::ocr
