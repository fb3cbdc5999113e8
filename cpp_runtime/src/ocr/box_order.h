// What PaddleOCR does to the boxes of one picture after DB decoding: predict_det.py's filter_tag_det_res and
// predict_system.py's sorted_boxes.
#pragma once

#include <vector>

#include "ocr/db.h"

namespace edgeocr::ocr {

// Corners in the order top left (least x + y), top right, bottom right (greatest x + y), bottom left (by y - x).
Quad order_corners(const Quad& quad);

// Corners ordered and clipped to the picture; boxes whose upper or left side is at most 3 pixels long are dropped.
void filter_boxes(std::vector<TextBox>& boxes, int picture_width, int picture_height);

// By (y, x) of the top left corner, then neighbours with |Δy| < 10 swapped into the order of x.
void sort_boxes(std::vector<TextBox>& boxes);

}  // namespace edgeocr::ocr
