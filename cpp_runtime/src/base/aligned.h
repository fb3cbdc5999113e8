// Memory for tensors: 64-byte aligned (a cache line, any vector register), zero-initialised.
#pragma once

#include <cstddef>
#include <memory>

namespace edgeocr {

constexpr size_t kAlignment = 64;

constexpr size_t align_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// At least one byte. Fails with "<what>: cannot allocate N bytes".
std::shared_ptr<std::byte> allocate_aligned(size_t bytes, const char* what);

}  // namespace edgeocr
