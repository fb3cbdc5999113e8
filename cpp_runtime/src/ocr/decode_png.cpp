#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "ocr/decoders.h"
#include "ocr/exif.h"

namespace edgeocr::ocr {
namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kChunkOverhead = 12;  // length, type, CRC

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? 0xEDB88320u ^ crc >> 1 : crc >> 1;
    table[byte] = crc;
  }
  return table;
}();

// CRC-32 of ISO 3309, as PNG's specification states it.
uint32_t crc32(Bytes data) {
  uint32_t crc = ~0u;
  for (std::byte b : data) crc = kCrcTable[(crc ^ std::to_integer<uint32_t>(b)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

uint32_t big_endian(Bytes four) {
  uint32_t value = 0;
  for (std::byte b : four.first(4)) value = value << 8 | std::to_integer<uint32_t>(b);
  return value;
}

// stb_image says no more than "unknown image type" of sizes that it cannot take.
void require_header(Bytes file, const std::string& name) {
  const Bytes chunks = file.subspan(kSignatureBytes);
  if (chunks.size() < 16 || std::memcmp(chunks.data() + 4, "IHDR", 4) != 0) fail("%s: broken PNG: no IHDR chunk", name.c_str());
  require_bounded_size(big_endian(chunks.subspan(8)), big_endian(chunks.subspan(12)), name);
}

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Walks the chunks up to IEND, checks what stb_image does not (CRC, completeness), and gives the data of the first eXIf.
Bytes check_chunks(Bytes file, const std::string& name) {
  Bytes exif;
  for (Bytes rest = file.subspan(kSignatureBytes);;) {
    if (rest.size() < kChunkOverhead) fail("%s: broken PNG: no IEND chunk, the file is cut short", name.c_str());
    const uint32_t length = big_endian(rest);
    const std::string type(reinterpret_cast<const char*>(rest.data()) + 4, 4);
    if (!std::all_of(type.begin(), type.end(), is_letter)) fail("%s: broken PNG: a chunk's type is not four letters", name.c_str());
    if (length > rest.size() - kChunkOverhead) {
      fail("%s: broken PNG: a chunk has %u bytes, expected at most %zu: the file is cut short", name.c_str(), length,
           rest.size() - kChunkOverhead);
    }
    const Bytes data = rest.subspan(8, length);
    const bool is_critical = (type[0] & 0x20) == 0;
    const bool is_intact = crc32(rest.subspan(4, 4 + size_t{length})) == big_endian(rest.subspan(8 + size_t{length}));
    if (is_critical && !is_intact) fail("%s: broken PNG: wrong CRC of chunk %s", name.c_str(), type.c_str());
    if (type == "IEND") return exif;
    if (type == "eXIf" && is_intact && exif.empty()) exif = data;
    rest = rest.subspan(kChunkOverhead + length);
  }
}

}  // namespace

Image decode_png(Bytes file, const std::string& name) {
  require_header(file, name);
  const Bytes exif = check_chunks(file, name);
  return apply_orientation(decode_stb(file, name), exif_orientation(exif));
}

}  // namespace edgeocr::ocr
