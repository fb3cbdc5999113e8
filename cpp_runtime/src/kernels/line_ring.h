// The zero frame of a convolution, without a framed copy of the map: the last rows of the input that a worker needs, each copied
// once into a buffer with zeros left and right.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "base/aligned.h"
#include "base/tensor.h"

namespace edgeocr::kernels {

class LineRing {
 public:
  static constexpr int64_t kMaxRows = 5;
  struct Layout {
    int64_t rows = 0;    // held at once: the kernel's height
    int64_t pixels = 0;  // of a buffer
    int64_t left = 0;    // zero pixels before the map's first
    int64_t lanes = 0;   // bytes per pixel, the map's

    size_t line_bytes() const { return align_up(static_cast<size_t>(pixels * lanes)); }
    size_t bytes() const { return static_cast<size_t>(rows + 1) * line_bytes(); }  // and one of zeros
  };

  // in: int8, outlives the ring. memory: layout.bytes().
  LineRing(const Layout& layout, const TensorView& in, std::byte* memory) : layout_(layout), in_(in), memory_(memory) {
    held_.fill(-1);
    std::memset(memory_, 0, layout_.bytes());
    copied_ = std::max<int64_t>(0, std::min(in.shape[3], layout.pixels - layout.left));
  }

  // Row y of a batch item, zeros where y is outside of the map. Valid until `rows` other rows have been asked for.
  const int8_t* line(int64_t batch, int64_t y) {
    if (y < 0 || y >= in_.shape[2]) return at(layout_.rows);
    const int64_t slot = y % layout_.rows, key = batch * in_.shape[2] + y;
    int8_t* line = at(slot);
    if (held_[static_cast<size_t>(slot)] != key)
      std::memcpy(line + layout_.left * layout_.lanes, in_.as<const int8_t>() + key * in_.row_stride,
                  static_cast<size_t>(copied_ * layout_.lanes));
    held_[static_cast<size_t>(slot)] = key;
    return line;
  }

 private:
  int8_t* at(int64_t slot) const { return reinterpret_cast<int8_t*>(memory_ + static_cast<size_t>(slot) * layout_.line_bytes()); }

  Layout layout_;
  const TensorView& in_;
  std::byte* memory_;
  int64_t copied_;  // pixels of the map that a buffer has room for
  std::array<int64_t, kMaxRows> held_{};
};

}  // namespace edgeocr::kernels
