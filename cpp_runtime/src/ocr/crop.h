// PaddleOCR's get_rotate_crop_image: perspective, INTER_CUBIC, BORDER_REPLICATE; turned 90° counter-clockwise where h/w >= 1.5.
#pragma once

#include "ocr/image.h"
#include "ocr/perspective.h"

namespace edgeocr::ocr {

// The quad's content as an upright rectangle, as wide and high as the longer of its opposite sides. Fails where a side is
// shorter than a pixel.
Image crop_quad(const Image& picture, const Quad& quad);

// cv2.warpPerspective(picture, matrix, (width, height), INTER_CUBIC, BORDER_REPLICATE): fixed-point, 1/32 pixel steps, as
// OpenCV up to 4.14 computes it; pictures may be larger than OpenCV's 32767.
Image warp_perspective_cubic(const Image& picture, const Matrix3& matrix, int width, int height);

}  // namespace edgeocr::ocr
