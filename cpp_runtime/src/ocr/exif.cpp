#include "ocr/exif.h"

#include <algorithm>
#include <optional>

namespace edgeocr::ocr {
namespace {

constexpr uint16_t kTiffMagic = 42;
constexpr uint16_t kOrientationTag = 0x0112;
constexpr size_t kEntryBytes = 12;  // tag, type, count, value

// Numbers of either byte order, nothing past the end.
class TiffReader {
 public:
  TiffReader(std::span<const std::byte> data, bool little_endian) : data_(data), little_endian_(little_endian) {}

  std::optional<uint32_t> u16(size_t offset) const { return number(offset, 2); }
  std::optional<uint32_t> u32(size_t offset) const { return number(offset, 4); }

 private:
  std::optional<uint32_t> number(size_t offset, size_t size) const {
    if (data_.size() < size || offset > data_.size() - size) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<uint32_t>(data_[offset + (little_endian_ ? size - 1 - i : i)]);
    return value;
  }

  std::span<const std::byte> data_;
  bool little_endian_;
};

}  // namespace

int exif_orientation(std::span<const std::byte> tiff) {
  if (tiff.size() < 2 || tiff[0] != tiff[1] || (tiff[0] != std::byte{'I'} && tiff[0] != std::byte{'M'})) return 1;
  const TiffReader reader(tiff, tiff[0] == std::byte{'I'});
  if (reader.u16(2) != kTiffMagic) return 1;
  const std::optional<uint32_t> directory = reader.u32(4);
  const std::optional<uint32_t> entries = directory ? reader.u16(*directory) : std::nullopt;
  for (size_t i = 0; i < entries.value_or(0); ++i) {
    const size_t entry = size_t{*directory} + 2 + i * kEntryBytes;
    if (reader.u16(entry) != kOrientationTag) continue;
    const uint32_t orientation = reader.u16(entry + 8).value_or(1);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

Image apply_orientation(Image picture, int orientation) {
  if (orientation <= 1 || orientation > 8) return picture;
  const bool transposed = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  // Steps through the source, in pixels, for one step right and one step down in the result.
  const ptrdiff_t column = from_right ? -1 : 1, row = from_bottom ? -ptrdiff_t{picture.width} : ptrdiff_t{picture.width};
  const ptrdiff_t right = transposed ? row : column, down = transposed ? column : row;
  ptrdiff_t line = (from_right ? picture.width - 1 : 0) + (from_bottom ? static_cast<ptrdiff_t>(picture.height - 1) * picture.width : 0);

  Image out = transposed ? Image(picture.height, picture.width) : Image(picture.width, picture.height);
  for (int y = 0; y < out.height; ++y, line += down) {
    uint8_t* to = out.row(y);
    ptrdiff_t from = line;
    for (int x = 0; x < out.width; ++x, from += right, to += 3) std::copy_n(picture.bgr.data() + from * 3, 3, to);
  }
  return out;
}

}  // namespace edgeocr::ocr
