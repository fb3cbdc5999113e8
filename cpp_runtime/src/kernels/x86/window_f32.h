// The input pixels under a run of outputs of a convolution, with zeros for those outside of the map.
//
// Where all lie inside, kernels read the map itself; rows above and below it are one row of zeros; at the left and right edge the
// pixels are copied into a patch, which costs little, as a row has two edges only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/tensor.h"

namespace edgeocr::kernels::x86 {

class WindowF32 {
 public:
  static constexpr int64_t kMaxRows = 6;

  // Patches have at most so many columns, `lanes` values each.
  WindowF32(const TensorView& in, int64_t rows, int64_t columns, int64_t lanes, bool always_copy = false)
      : in_(in), rows_(rows), columns_(columns), lanes_(lanes), always_copy_(always_copy) {}

  // Scratch memory of one worker: the zeros, then the patch.
  size_t elements() const { return static_cast<size_t>(zeros() + rows_ * columns_ * lanes_); }
  void clear(float* scratch) const;

  // Pixels (top + i, left + j) of the batch item, i < rows, j < columns. More columns than a patch has must all lie inside the map.
  struct Pixels {
    std::array<const float*, kMaxRows> rows{};
    ptrdiff_t pixel_step = 0;
  };
  Pixels at(int64_t batch, int64_t top, int64_t left, int64_t columns, float* scratch) const;

 private:
  int64_t zeros() const { return std::max(columns_ * lanes_, in_.shape[3] * in_.pixel_stride); }

  const TensorView& in_;
  int64_t rows_, columns_, lanes_;
  bool always_copy_;
};

}  // namespace edgeocr::kernels::x86
