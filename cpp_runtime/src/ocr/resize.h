// cv2.resize(…, INTER_LINEAR) on 8-bit BGR: fixed-point as OpenCV computes it.
#pragma once

#include "ocr/image.h"

namespace edgeocr::ocr {

Image resize_bilinear(const Image& source, int width, int height);

// 90° counter-clockwise (numpy.rot90) and 180°.
Image rotate_90_ccw(const Image& source);
void rotate_180(Image& image);

}  // namespace edgeocr::ocr
