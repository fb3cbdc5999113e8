// Floating point matrix products for maps with channels innermost: a row of pixels times packed weights.
//
// What a pixel multiplies is a few segments of contiguous values: its lanes for a 1x1 convolution, kernel_w pixels of kernel_h rows
// for others. Columns (output channels) are cut into tiles of 24, the rest of 8, in fp32 a last one of 4; a register tile is
// 4 pixels x 24 columns, 8 x 8 or 12 x 4.
// fp32 sums take their products in order by fused multiply-adds, as the plain kernels do on this processor: with a plain form
// (finish.h) the bits are theirs. fp16 sums join eight products at a time, of rgb nine, which are summed apart: their error is that of fp32
// sums.
// Long fp16 sums (FloatForm) take their products in order too, and leave registers for tiles of 7 x 24 and 8 x 16.
#pragma once

#include <vector>

#include "kernels/floating/pack_columns.h"
#include "kernels/neon/finish.h"

namespace edgeocr::kernels::neon {

template <class T> class Gemm {
 public:
  static constexpr int64_t kColumns = 24;                             // of the widest tile
  static constexpr int64_t kRgbPixels = Vec<T>::kLanes == 4 ? 1 : 3;  // of four values, multiplied in one go

  // weight: float(segment, k, column). k: values per segment, a multiple of Vec<T>::kLanes, of rgb of so many pixels; columns: of eight, or
  // in fp32 of four (the last four of a form without activation and residual). rgb: of every four values the last is always zero.
  template <class Weight>
  Gemm(int64_t segments, int64_t k, int64_t columns, const FloatForm& form, const Weight& weight, bool rgb = false) : columns_(columns) {
    weights_.reserve(static_cast<size_t>(floating::packed_count(segments, k, columns, rgb)));  // stays where it is
    for (int64_t column = 0; column < columns; column += tiles_.back().columns) {
      Tile tile{.column = column, .segments = static_cast<int>(segments), .k = k};
      choose(tile, columns - column, form, rgb);
      tile.weights = floating::pack_columns(segments, k, column, tile.columns, rgb, weight, weights_);
      tiles_.push_back(tile);
    }
  }
  Gemm(Gemm&&) = default;  // not copied: tiles point at the weights

  int64_t columns() const { return columns_; }
  // constants.bias: of all columns.
  void run(const Row<T>& row, const Constants<T>& constants) const { run(row, constants, 0, tiles_.size()); }

  // As run(), with weights that gate() made.
  void run_gated(const Row<T>& row, const Constants<T>& constants, const T* weights) const;
  // Weights times gates[k], to memory for weight_count(). Of one segment, not rgb.
  void gate(const T* gates, T* weights) const;
  size_t weight_count() const { return weights_.size(); }

  // Tile by tile, for who has a reason to hold other things constant than a row.
  size_t tiles() const { return tiles_.size(); }
  int64_t first_column(size_t tile) const { return tiles_[tile].column; }
  int64_t columns_of(size_t tile) const { return tiles_[tile].columns; }
  // row.out, row.start and row.residual point at column 0 nevertheless.
  void run_tile(size_t tile, const Row<T>& row, const Constants<T>& constants) const { run(row, constants, tile, tile + 1); }

 private:
  template <class> friend struct GemmTile;
  struct Tile;
  using RowFunction = void (*)(const Row<T>& row, const Tile& tile, const Constants<T>& constants);
  struct Tile {
    int64_t column = 0, columns = 0;
    int segments = 0;
    int64_t k = 0;
    const T* weights = nullptr;
    int64_t pixels = 0;                         // of the register tile
    RowFunction many = nullptr, few = nullptr;  // for rows of at least `pixels`, and shorter ones
  };

  // Functions, columns and pixels for what is left of the columns.
  static void choose(Tile& tile, int64_t left, const FloatForm& form, bool rgb);

  void run(const Row<T>& row, const Constants<T>& constants, size_t begin, size_t end) const {
    for (size_t i = begin; i < end; i++) run(row, constants, tiles_[i]);
  }
  static void run(const Row<T>& row, const Constants<T>& constants, const Tile& tile) {
    (row.pixels >= tile.pixels ? tile.many : tile.few)(row, tile, constants);
  }

  int64_t columns_;
  std::vector<T> weights_;
  std::vector<Tile> tiles_;
};

}  // namespace edgeocr::kernels::neon
