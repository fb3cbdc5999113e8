// JPEG (libjpeg-turbo), PNG and BMP (stb_image) to BGR, bounded, turned by the EXIF orientation as OpenCV's imread does.
#pragma once

#include <span>
#include <string>

#include "ocr/image.h"

namespace edgeocr::ocr {

// Pictures above this many pixels are refused before anything is decoded.
constexpr int64_t kMaxPixels = 100'000'000;

// Throws Error "<name>: …" for an empty, unknown, broken or too large file.
Image decode(std::span<const std::byte> file, const std::string& name);
Image decode_file(const std::string& path);

}  // namespace edgeocr::ocr
