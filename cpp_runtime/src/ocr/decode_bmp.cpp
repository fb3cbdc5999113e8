#include <cstdlib>

#include "base/error.h"
#include "ocr/decoders.h"

namespace edgeocr::ocr {
namespace {

constexpr size_t kFileHeaderBytes = 14;  // BITMAPFILEHEADER; then the size of the second header, then the sides
constexpr uint32_t kCoreHeaderBytes = 12;  // OS/2's BITMAPCOREHEADER has 16-bit sides

uint32_t little_endian(Bytes file, size_t offset, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<uint32_t>(file[offset + i]);
  return value;
}

}  // namespace

// stb_image says no more than "unknown image type" of a BMP that it cannot take.
Image decode_bmp(Bytes file, const std::string& name) {
  if (file.size() < kFileHeaderBytes + kCoreHeaderBytes) fail("%s: broken BMP: %zu bytes, the file is cut short", name.c_str(), file.size());
  const bool is_core = little_endian(file, kFileHeaderBytes, 4) == kCoreHeaderBytes;
  const size_t sides = kFileHeaderBytes + 4, side_bytes = is_core ? 2 : 4;
  const auto width = static_cast<int32_t>(little_endian(file, sides, side_bytes));
  const auto height = static_cast<int32_t>(little_endian(file, sides + side_bytes, side_bytes));  // negative: first row on top
  require_bounded_size(width, std::abs(int64_t{height}), name);
  return decode_stb(file, name);
}

}  // namespace edgeocr::ocr
