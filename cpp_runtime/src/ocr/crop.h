// PaddleOCR's get_rotate_crop_image: perspective, INTER_CUBIC, BORDER_REPLICATE; turned 90° counter-clockwise where h/w >= 1.5.
#pragma once

#include "ocr/image.h"

namespace edgeocr::ocr {

Image crop_quad(const Image& picture, const Quad& quad);

}  // namespace edgeocr::ocr
