// Bounded reading of little-endian bytes, front to back: every read of the container goes through here.
#pragma once

#include <bit>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "base/error.h"

namespace edgeocr::nb {

static_assert(std::endian::native == std::endian::little, ".nb files are little-endian and read without swapping");

class Cursor {
 public:
  // `name` is used in messages and must outlive the cursor.
  Cursor(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  // Fails with "<name>: <what> takes N bytes at byte P, expected at most R: the file is truncated or not a .nb".
  std::span<const std::byte> take(uint64_t count, const char* what) {
    if (count > remaining())
      fail("%s: %s takes %" PRIu64 " bytes at byte %zu, expected at most %zu: the file is truncated or not a .nb", name_.c_str(), what,
           count, position_, remaining());
    auto part = bytes_.subspan(position_, static_cast<size_t>(count));
    position_ += part.size();
    return part;
  }

  template <class T> T read(const char* what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t position_ = 0;
  const std::string& name_;
};

}  // namespace edgeocr::nb
