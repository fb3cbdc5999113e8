// stb_image: PNG and BMP only, from memory, every allocation bounded by what the picture's header announces.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "ocr/decoders.h"

namespace {

// Largest single allocation stb_image may make for the picture being decoded: a deflate stream can grow a thousandfold.
thread_local size_t stb_limit = 0;

void* bounded_realloc(void* block, size_t size) { return size > stb_limit ? nullptr : std::realloc(block, size); }

}  // namespace

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MALLOC(size) bounded_realloc(nullptr, size)
#define STBI_REALLOC(block, size) bounded_realloc(block, size)
#define STBI_FREE(block) std::free(block)
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#endif
#include <stb/stb_image.h>
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

namespace edgeocr::ocr {
namespace {

constexpr size_t kHeaderBytes = 1 << 16;

struct StbFree {
  void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
};

// stb_image's reasons are a word or two; the one of bounded_realloc means too much data behind a small header.
[[noreturn]] void fail_broken(const std::string& name) {
  const std::string_view reason = stbi_failure_reason() ? stbi_failure_reason() : "unknown reason";
  const std::string_view said = reason == "outofmem" ? "more data than its header announces" : reason;
  fail("%s: broken or unsupported picture: %.*s", name.c_str(), static_cast<int>(said.size()), said.data());
}

}  // namespace

Image decode_stb(Bytes file, const std::string& name) {
  const auto* data = reinterpret_cast<const stbi_uc*>(file.data());
  const int size = static_cast<int>(file.size());  // kMaxFileBytes fits
  int width = 0, height = 0, channels = 0;
  stb_limit = kHeaderBytes;
  if (!stbi_info_from_memory(data, size, &width, &height, &channels)) fail_broken(name);
  height = std::abs(height);  // a BMP's whose first row is on top
  require_bounded_size(width, height, name);
  // At most four samples of two bytes a pixel and a filter byte a row; buffers grow by doubling.
  stb_limit = 2 * std::max(file.size(), static_cast<size_t>(height) * (static_cast<size_t>(width) * 8 + 8)) + 4096;
  const std::unique_ptr<stbi_uc, StbFree> pixels(stbi_load_from_memory(data, size, &width, &height, &channels, STBI_rgb));
  if (!pixels) fail_broken(name);
  Image picture(width, height);
  const stbi_uc* from = pixels.get();
  for (size_t i = 0; i < picture.bgr.size(); i += 3, from += 3) {
    picture.bgr[i] = from[2];
    picture.bgr[i + 1] = from[1];
    picture.bgr[i + 2] = from[0];
  }
  return picture;
}

}  // namespace edgeocr::ocr
