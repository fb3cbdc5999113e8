// int8 matrix products for convolutions over maps with channels innermost: a row of pixels times packed weights.
//
// What a pixel multiplies is a few segments of contiguous bytes: the map's lanes for a 1x1 convolution, kernel_w pixels of kernel_h
// rows for others. Columns (output channels) are cut into tiles, whose widths are the kernel set's.
#pragma once

#include <span>
#include <vector>

#include "kernels/int8/ending.h"
#include "kernels/int8/kernel_set.h"

namespace edgeocr::kernels::int8 {

class Gemm {
 public:
  // weight: int8_t(segment, k, column). k: bytes per segment, a multiple of 4; columns: a multiple of 8. rules: of all columns, or none
  // for sums. other_reach: per column, bound of |sum| of what GemmRow::start brings; empty: nothing.
  template <class Weight>
  Gemm(int64_t segments, int64_t k, int64_t columns, const Form& form, const Weight& weight, std::span<const Rule> rules = {},
       std::span<const int64_t> other_reach = {})
      : out_bytes_(result_bytes(form.store)), weights_(static_cast<size_t>(segments * k * columns)) {
    int8_t* to = weights_.data();
    for (int64_t first = 0, width = 0; first < columns; first += width) {
      width = tile_columns(columns - first);
      const int8_t* tile = to;
      for (int64_t segment = 0; segment < segments; segment++)
        for (int64_t i = 0; i < k; i += 4)
          for (int64_t column = first; column < first + width; column++)
            for (int64_t j = 0; j < 4; j++) *to++ = weight(segment, i + j, column);
      const auto offset = static_cast<size_t>(first), count = static_cast<size_t>(width);
      const auto reach = other_reach.empty() ? other_reach : other_reach.subspan(offset, count);
      add_tile(first, width, {segments, k, tile, form}, part(rules, offset, count), reach);
    }
  }
  Gemm(Gemm&&) = default;  // not copied: tiles point at the weights

  // Where the sums of a column begin, part of GemmRow::start where that is given.
  int32_t start(int64_t column) const;

  // constants.scale and .bias: of all columns; so are the row's pointers. Without row.start sums begin at start().
  void run(const GemmRow& row, const FinishConstants& constants) const;

 private:
  void add_tile(int64_t first, int64_t width, GemmTile packed, std::span<const Rule> rules, std::span<const int64_t> other_reach);

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
