// fp32 matrix products for maps with channels innermost: a row of pixels times packed weights.
//
// What a pixel multiplies is a few segments of contiguous values: its lanes for a 1x1 convolution, kernel_w pixels of kernel_h rows
// for others. Columns (output channels) are cut into tiles of one to three vectors.
#pragma once

#include <vector>

#include "kernels/floating/pack_columns.h"
#include "kernels/x86/inner_loops.h"

namespace edgeocr::kernels::x86 {

enum class GemmRows : uint8_t { many, single };  // pixels of the rows to come

class GemmF32 {
 public:
  // weight: float(segment, k, column). k: values per segment, a multiple of 4; columns: a multiple of 8. rgb: of every four values the last
  // is always zero.
  template <class Weight>
  GemmF32(int64_t segments, int64_t k, int64_t columns, const FormF32& form, const Weight& weight, bool rgb = false,
          GemmRows rows = GemmRows::many)
      : columns_(columns), form_(form) {
    weights_.reserve(static_cast<size_t>(floating::packed_count(segments, k, columns, rgb)));  // stays where it is
    for (int64_t column = 0; column < columns; column += tiles_.back().columns) {
      GemmTileF32 tile{
          .column = column, .columns = tile_width(columns - column, rows), .segments = static_cast<int>(segments), .k = k, .rgb = rgb};
      tile.weights = floating::pack_columns(segments, k, column, tile.columns, rgb, weight, weights_);
      add_tile(tile);
    }
  }
  GemmF32(GemmF32&&) = default;  // not copied: tiles point at the weights

  int64_t columns() const { return columns_; }
  // constants.bias: of all columns.
  void run(const RowF32& row, const ConstantsF32& constants) const {
    for (size_t i = 0; i < tiles_.size(); i++) run_tile(i, row, constants);
  }

  // Tile by tile, for who has a reason to hold other things constant than a row.
  size_t tiles() const { return tiles_.size(); }
  int64_t first_column(size_t tile) const { return tiles_[tile].column; }
  int64_t columns_of(size_t tile) const { return tiles_[tile].columns; }
  int64_t widest_tile() const { return widest_; }
  // row.out, row.start and row.residual point at column 0 nevertheless.
  void run_tile(size_t tile, const RowF32& row, const ConstantsF32& constants) const {
    functions_[tile](row, tiles_[tile], form_, constants);
  }

 private:
  // Of the next tile, of what is left of the columns.
  static int64_t tile_width(int64_t left, GemmRows rows);
  void add_tile(const GemmTileF32& tile);

  int64_t columns_, widest_ = 0;
  FormF32 form_;
  std::vector<float> weights_;
  std::vector<GemmTileF32> tiles_;
  std::vector<GemmFunctionF32> functions_;  // of each tile
};

}  // namespace edgeocr::kernels::x86
