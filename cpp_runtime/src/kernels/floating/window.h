// The input pixels under a run of outputs of a convolution, with zeros for those outside of the map. Pixels are at the map's steps.
//
// Where all lie inside, kernels read the map itself; rows above and below it are one row of zeros; at the left and right edge the
// pixels are copied into a patch, which costs little, as a row has two edges only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/tensor.h"

namespace edgeocr::kernels::floating {

template <class T> class Window {
 public:
  static constexpr int64_t kMaxRows = 6;

  // Patches have at most so many columns.
  Window(const TensorView& in, int64_t rows, int64_t columns) : in_(in), rows_(rows), columns_(columns) {}

  // Scratch memory of one worker: the zeros, then the patch.
  size_t elements() const { return static_cast<size_t>(zeros() + rows_ * columns_ * in_.pixel_stride); }
  void clear(T* scratch) const { std::memset(scratch, 0, static_cast<size_t>(zeros()) * sizeof(T)); }

  using Rows = std::array<const T*, kMaxRows>;
  // Pixels (top + i, left) of the batch item, i < rows, with `columns` from there on. More columns than a patch has must all lie inside
  // the map.
  Rows at(int64_t batch, int64_t top, int64_t left, int64_t columns, T* scratch) const {
    const bool copy = left < 0 || left + columns > in_.shape[3];
    Rows rows{};
    for (int64_t i = 0; i < rows_; i++) {
      const T*& row = rows[static_cast<size_t>(i)];
      row = map_row(batch, top + i, scratch);
      if (row == scratch) continue;
      row += left * in_.pixel_stride;
      if (copy) row = copy_pixels(row, left, columns, scratch + zeros() + i * columns_ * in_.pixel_stride);
    }
    return rows;
  }

  // The rows from `top` on at column 0: columns outside of the map may be read of rows outside of it only.
  Rows rows_at(int64_t batch, int64_t top, const T* zeros) const {
    Rows rows{};
    for (int64_t i = 0; i < rows_; i++) {
      const T* row = map_row(batch, top + i, zeros);
      rows[static_cast<size_t>(i)] = row == zeros ? zeros + columns_ * in_.pixel_stride : row;
    }
    return rows;
  }

 private:
  // A row, and a patch's width before and behind it.
  int64_t zeros() const { return (in_.shape[3] + 2 * columns_) * in_.pixel_stride; }

  // Pixel (y, 0); zeros where there is no such row.
  const T* map_row(int64_t batch, int64_t y, const T* scratch) const {
    return y < 0 || y >= in_.shape[2] ? scratch : in_.as<const T>() + batch * in_.batch_stride + y * in_.row_stride;
  }

  const T* copy_pixels(const T* source, int64_t left, int64_t columns, T* patch) const {
    const int64_t begin = std::clamp<int64_t>(-left, 0, columns), end = std::clamp<int64_t>(in_.shape[3] - left, begin, columns);
    const int64_t lanes = in_.pixel_stride;
    const T zero = static_cast<T>(0.0f);
    std::fill_n(patch, begin * lanes, zero);
    std::fill_n(patch + end * lanes, (columns - end) * lanes, zero);
    std::memcpy(patch + begin * lanes, source + begin * lanes, static_cast<size_t>((end - begin) * lanes) * sizeof(T));
    return patch;
  }

  const TensorView& in_;
  int64_t rows_, columns_;
};

}  // namespace edgeocr::kernels::floating
