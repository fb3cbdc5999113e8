#include "base/aligned.h"

#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace edgeocr {

std::shared_ptr<std::byte> allocate_aligned(size_t bytes, const char* what) {
  if (bytes > std::numeric_limits<size_t>::max() / 2) fail("%s: cannot allocate %zu bytes", what, bytes);
  size_t rounded = bytes == 0 ? kAlignment : align_up(bytes);
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) fail("%s: cannot allocate %zu bytes", what, bytes);
  std::memset(memory, 0, rounded);
  return {static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); }};
}

}  // namespace edgeocr
