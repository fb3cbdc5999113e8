// int8 matrix products for convolutions over maps with channels innermost: a row of pixels times packed weights.
//
// What a pixel multiplies is a few segments of contiguous bytes: the map's lanes for a 1x1 convolution, kernel_w pixels of kernel_h
// rows for others. Columns (output channels) are cut into tiles, whose widths are the kernel set's.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "kernels/int8/ending.h"

namespace edgeocr::kernels::int8 {

class Gemm {
 public:
  using Weight = std::function<int8_t(int64_t segment, int64_t k, int64_t column)>;

  // k: bytes per segment, a multiple of 4; columns: a multiple of 8. rules: of all columns, or none for sums. other_reach: per column,
  // bound of |sum| of what GemmRow::start brings; empty: nothing.
  Gemm(int64_t segments, int64_t k, int64_t columns, const Form& form, const Weight& weight, std::span<const Rule> rules = {},
       std::span<const int64_t> other_reach = {});
  Gemm(Gemm&&) = default;  // not copied: tiles point at the weights

  // Where the sums of a column begin, part of GemmRow::start where that is given.
  int32_t start(int64_t column) const;

  // constants.scale and .bias: of all columns; so are the row's pointers. Without row.start sums begin at start().
  void run(const GemmRow& row, const FinishConstants& constants) const;

 private:
  struct Tile {
    int64_t column;
    Ending ending;
    GemmTile packed;
    GemmFunction function;
  };

  int64_t out_bytes_;  // of a result
  std::vector<int8_t> weights_;
  std::vector<Tile> tiles_;
};

}  // namespace edgeocr::kernels::int8
