// EXIF orientation: how a picture must be turned to be seen upright.
#pragma once

#include <cstddef>
#include <span>

#include "ocr/image.h"

namespace edgeocr::ocr {

// `tiff` starts at the TIFF header ("II*\0" or "MM\0*"). The orientation tag (0x0112) of the first directory, 1 to 8; 1 where
// there is none or the data are malformed.
int exif_orientation(std::span<const std::byte> tiff);

// As OpenCV: 2 mirrored, 3 turned by 180°, 4 flipped, 5 transposed, 6 turned 90° clockwise, 7 transposed and turned by 180°,
// 8 turned 90° counter-clockwise.
Image apply_orientation(Image picture, int orientation);

}  // namespace edgeocr::ocr
