// Memory that ends the process where it is read or written beyond its end, or before its beginning.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace edgeocr::kernel_test {

class FencedMemory {
 public:
  enum class Fence { before, behind };  // the side on which the next byte belongs to a page that is not there

  // Filled with `value`.
  FencedMemory(size_t bytes, Fence fence, std::byte value) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const size_t inner = (bytes + page - 1) / page * page;
    mapped_ = inner + 2 * page;
    base_ = static_cast<std::byte*>(::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || (inner > 0 && ::mprotect(base_ + page, inner, PROT_READ | PROT_WRITE) != 0)) throw std::bad_alloc();
    data_ = base_ + page + (fence == Fence::behind ? inner - bytes : 0);
    std::memset(data_, static_cast<int>(value), bytes);
  }
  FencedMemory(FencedMemory&& other) noexcept : base_(std::exchange(other.base_, nullptr)), data_(other.data_), mapped_(other.mapped_) {}
  ~FencedMemory() {
    if (base_ != nullptr) ::munmap(base_, mapped_);
  }

  std::byte* data() const { return data_; }

 private:
  std::byte* base_ = nullptr;
  std::byte* data_ = nullptr;
  size_t mapped_ = 0;
};

}  // namespace edgeocr::kernel_test
