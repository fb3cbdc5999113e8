#include "ocr/decode.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "ocr/decoders.h"

namespace edgeocr::ocr {
namespace {

bool starts_with(Bytes file, std::span<const uint8_t> magic) {
  const auto same = [](uint8_t a, std::byte b) { return std::byte{a} == b; };
  return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin(), same);
}

std::string hexadecimal(Bytes bytes) {
  std::string text;
  for (std::byte b : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x ", std::to_integer<unsigned>(b));
    text += two;
  }
  return text.substr(0, text.size() - 1);
}

}  // namespace

void require_bounded_size(int64_t width, int64_t height, const std::string& name) {
  if (width < 1 || height < 1) {
    fail("%s: picture is %lldx%lld, expected sides of at least 1", name.c_str(), static_cast<long long>(width),
         static_cast<long long>(height));
  }
  if (width > kMaxSide || height > kMaxSide || width * height > kMaxPixels) {
    fail("%s: picture is %lldx%lld, expected at most %lld pixels and sides of at most %lld: scale it down", name.c_str(),
         static_cast<long long>(width), static_cast<long long>(height), static_cast<long long>(kMaxPixels),
         static_cast<long long>(kMaxSide));
  }
}

Image decode(Bytes file, const std::string& name) {
  constexpr uint8_t kJpeg[] = {0xFF, 0xD8, 0xFF}, kBmp[] = {'B', 'M'};
  constexpr uint8_t kPng[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  if (file.empty()) fail("%s: file is empty, expected a JPEG, PNG or BMP picture", name.c_str());
  if (file.size() > kMaxFileBytes) {
    fail("%s: size is %zu bytes, expected at most %llu", name.c_str(), file.size(), static_cast<unsigned long long>(kMaxFileBytes));
  }
  if (starts_with(file, kJpeg)) return decode_jpeg(file, name);
  if (starts_with(file, kPng)) return decode_png(file, name);
  if (starts_with(file, kBmp)) return decode_bmp(file, name);
  const std::string start = hexadecimal(file.first(std::min<size_t>(file.size(), 4)));
  fail("%s: not a picture: starts with %s, expected JPEG, PNG or BMP", name.c_str(), start.c_str());
}

Image decode_file(const std::string& path) {
  const std::vector<std::byte> file = read_whole_file(path, kMaxFileBytes);
  return decode(file, path);
}

}  // namespace edgeocr::ocr
