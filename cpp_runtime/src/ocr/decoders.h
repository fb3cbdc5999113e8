// The decoders behind decode(): one format each. All throw Error "<name>: …".
#pragma once

#include <span>
#include <string>

#include "ocr/image.h"

namespace edgeocr::ocr {

using Bytes = std::span<const std::byte>;

// Fails unless both sides are at least 1 and within kMaxSide and kMaxPixels.
void require_bounded_size(int64_t width, int64_t height, const std::string& name);

Image decode_jpeg(Bytes file, const std::string& name);  // turned by the orientation of its first APP1 segment
Image decode_png(Bytes file, const std::string& name);   // turned by the orientation of its eXIf chunk
Image decode_bmp(Bytes file, const std::string& name);

// PNG or BMP by stb_image, as it lies in the file.
Image decode_stb(Bytes file, const std::string& name);

}  // namespace edgeocr::ocr
