#include <cstdlib>

#include "base/error.h"
#include "ocr/decoders.h"

namespace edgeocr::ocr {
namespace {

// BITMAPFILEHEADER (14 bytes: where the pixels start is at 10), then the size of the second header, then the sides, planes and
// bits per pixel; OS/2's BITMAPCOREHEADER has 16-bit sides.
constexpr size_t kPixelOffset = 10, kHeaderSize = 14, kSides = 18;
constexpr uint32_t kCoreHeaderBytes = 12;
constexpr size_t kCompression = 30;  // of the longer header
constexpr uint32_t kRunLength8 = 1, kRunLength4 = 2;
constexpr size_t kLeastBytes = 30;

uint32_t little_endian(Bytes file, size_t offset, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<uint32_t>(file[offset + i]);
  return value;
}

}  // namespace

// stb_image says no more than "unknown image type" of sizes that it cannot take, and reads zeros behind the end of a file.
Image decode_bmp(Bytes file, const std::string& name) {
  if (file.size() < kLeastBytes) fail("%s: broken BMP: %zu bytes, the file is cut short", name.c_str(), file.size());
  const size_t side_bytes = little_endian(file, kHeaderSize, 4) == kCoreHeaderBytes ? 2 : 4;
  const auto width = static_cast<int32_t>(little_endian(file, kSides, side_bytes));
  const auto height = static_cast<int32_t>(little_endian(file, kSides + side_bytes, side_bytes));  // negative: first row on top
  const int64_t rows = std::abs(int64_t{height});
  require_bounded_size(width, rows, name);

  if (side_bytes == 4 && file.size() >= kCompression + 4) {
    const uint32_t compression = little_endian(file, kCompression, 4);
    if (compression == kRunLength8 || compression == kRunLength4) fail("%s: run-length BMP is not supported: save it as PNG", name.c_str());
  }

  const int64_t row_bits = int64_t{width} * little_endian(file, kSides + 2 * side_bytes + 2, 2);
  const int64_t end = little_endian(file, kPixelOffset, 4) + (row_bits + 31) / 32 * 4 * (rows - 1) + (row_bits + 7) / 8;
  if (end > static_cast<int64_t>(file.size())) {
    fail("%s: broken BMP: %zu bytes, expected at least %lld: the file is cut short", name.c_str(), file.size(),
         static_cast<long long>(end));
  }
  return decode_stb(file, name);
}

}  // namespace edgeocr::ocr
