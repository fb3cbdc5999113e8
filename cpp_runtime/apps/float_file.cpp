#include "float_file.h"

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace edgeocr {

static_assert(std::endian::native == std::endian::little);

std::vector<float> read_floats(const std::string& path, int64_t count) {
  const uint64_t expected = static_cast<uint64_t>(count) * sizeof(float);
  const std::vector<std::byte> bytes = read_whole_file(path, expected);
  if (bytes.size() != expected) {
    fail("%s: size is %zu bytes, expected %llu (%lld fp32 values)", path.c_str(), bytes.size(), static_cast<unsigned long long>(expected),
         static_cast<long long>(count));
  }
  std::vector<float> values(static_cast<size_t>(count));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

void write_floats(const std::string& path, std::span<const float> values) {
  const std::string part = path + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  if (!file) fail("%s: cannot write: %s", path.c_str(), std::strerror(errno));
  const bool written = std::fwrite(values.data(), sizeof(float), values.size(), file) == values.size();
  const bool closed = std::fclose(file) == 0;
  if (written && closed && std::rename(part.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  std::remove(part.c_str());
  fail("%s: cannot write: %s", path.c_str(), std::strerror(error));
}

}  // namespace edgeocr
