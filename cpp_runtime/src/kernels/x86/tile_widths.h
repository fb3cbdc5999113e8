// How the columns of a matrix product are cut into tiles.
#pragma once

#include <algorithm>
#include <span>

#include "kernels/x86/inner_loops.h"

namespace edgeocr::kernels::x86 {

// Of the next tile for `left` columns; two of the middle width rather than a wide one and the narrowest, which has the fewest
// products per value that it loads.
inline int64_t width_of_tile(const InnerLoops& loops, int64_t left) {
  const std::span widths(loops.gemm_widths);
  if (left == 2 * widths[1]) return widths[1];
  return *std::ranges::find_if(widths, [&](int64_t width) { return width <= left; });
}

}  // namespace edgeocr::kernels::x86
