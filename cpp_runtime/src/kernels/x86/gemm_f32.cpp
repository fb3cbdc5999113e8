#include "kernels/x86/gemm_f32.h"

#include <algorithm>

#include "kernels/x86/tile_widths.h"

namespace edgeocr::kernels::x86 {

int64_t GemmF32::tile_width(int64_t left, GemmRows rows) {
  const InnerLoops& loops = current_inner_loops();
  const bool single = rows == GemmRows::single && left >= loops.gemm_single_width;
  return single ? loops.gemm_single_width : width_of_tile(loops.gemm_lanes, left);
}

void GemmF32::add_tile(const GemmTileF32& tile) {
  widest_ = std::max(widest_, tile.columns);
  tiles_.push_back(tile);
  functions_.push_back(current_inner_loops().gemm_f32(tile.columns));
}

}  // namespace edgeocr::kernels::x86
