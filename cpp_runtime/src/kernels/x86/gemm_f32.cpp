#include "kernels/x86/gemm_f32.h"

#include <algorithm>

#include "kernels/x86/tile_widths.h"

namespace edgeocr::kernels::x86 {

GemmF32::GemmF32(int64_t segments, int64_t k, int64_t columns, const FormF32& form, const Weight& weight, bool rgb, GemmRows rows)
    : columns_(columns), form_(form) {
  const InnerLoops& loops = current_inner_loops();
  std::vector<size_t> offsets;
  for (int64_t column = 0; column < columns;) {
    const int64_t left = columns - column;
    const bool single = rows == GemmRows::single && left >= loops.gemm_single_width;
    const int64_t width = single ? loops.gemm_single_width : width_of_tile(loops.gemm_lanes, left);
    GemmTileF32 tile{.column = column, .columns = width, .segments = static_cast<int>(segments), .k = k, .rgb = rgb};
    offsets.push_back(weights_.size());
    for (int64_t s = 0; s < segments; s++)
      for (int64_t i = 0; i < k; i++) {
        if (rgb && i % 4 == 3) continue;
        for (int64_t n = 0; n < tile.columns; n++) weights_.push_back(weight(s, i, column + n));
      }
    column += tile.columns;
    widest_ = std::max(widest_, tile.columns);
    tiles_.push_back(tile);
    functions_.push_back(loops.gemm_f32(tile.columns));
  }
  for (size_t i = 0; i < tiles_.size(); i++) tiles_[i].weights = weights_.data() + offsets[i];
}

}  // namespace edgeocr::kernels::x86
