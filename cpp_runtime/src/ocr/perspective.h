// Perspective transforms, in double, with OpenCV's order of operations.
#pragma once

#include <array>

#include "ocr/image.h"

namespace edgeocr::ocr {

using Matrix3 = std::array<double, 9>;  // row-major

// cv2.getPerspectiveTransform (LU). Where the corners lie on one line: all zero but the last element, which is 1.
Matrix3 perspective_transform(const Quad& from, const Quad& to);
// cv2.invert; all zero for a singular matrix.
Matrix3 inverse(const Matrix3& matrix);

}  // namespace edgeocr::ocr
