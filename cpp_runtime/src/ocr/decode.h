// JPEG (libjpeg-turbo), PNG and BMP (stb_image) to BGR, bounded, turned by the EXIF orientation as OpenCV's imread does.
//
// The pixels are those of cv2.imread(path, IMREAD_COLOR): grey becomes three equal channels, CMYK and YCCK are converted by
// OpenCV's formula, alpha is dropped, 16-bit PNG keeps the high byte. Two differences, on purpose:
//   * a picture that is cut short or damaged is refused, where OpenCV warns and returns grey areas;
//   * 16-bit BMP spreads its 5 and 6 bits over 0 … 255, where OpenCV leaves the low bits zero; run-length BMP is refused.
#pragma once

#include <span>
#include <string>

#include "ocr/image.h"

namespace edgeocr::ocr {

// Refused before anything is decoded: more pixels than this, a longer side than this (OpenCV's limit), a larger file.
constexpr int64_t kMaxPixels = 100'000'000;
constexpr int64_t kMaxSide = 1 << 20;
constexpr uint64_t kMaxFileBytes = 512 << 20;

// Throws Error "<name>: …" for an empty, unknown, broken or too large file.
Image decode(std::span<const std::byte> file, const std::string& name);
Image decode_file(const std::string& path);

}  // namespace edgeocr::ocr
