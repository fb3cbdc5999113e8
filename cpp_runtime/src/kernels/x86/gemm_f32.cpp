#include "kernels/x86/gemm_f32.h"

#include <algorithm>
#include <span>

namespace edgeocr::kernels::x86 {

namespace {

// Of the tiles for what is left; two of the middle width rather than a wide one and the narrowest, which has the fewest products
// per value that it loads.
int64_t width_of_tile(const InnerLoops& loops, int64_t left, GemmRows rows) {
  if (rows == GemmRows::single && left >= loops.gemm_single_width) return loops.gemm_single_width;
  const std::span widths(loops.gemm_widths);
  if (left == 2 * widths[1]) return widths[1];
  return *std::ranges::find_if(widths, [&](int64_t width) { return width <= left; });
}

}  // namespace

GemmF32::GemmF32(int64_t segments, int64_t k, int64_t columns, const FormF32& form, const Weight& weight, bool rgb, GemmRows rows)
    : columns_(columns), form_(form) {
  const InnerLoops& loops = current_inner_loops();
  std::vector<size_t> offsets;
  for (int64_t column = 0; column < columns;) {
    GemmTileF32 tile{.column = column, .columns = width_of_tile(loops, columns - column, rows), .segments = static_cast<int>(segments), .k = k, .rgb = rgb};
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
