// How the columns of a matrix product are cut into tiles.
#pragma once

#include <algorithm>
#include <cstdint>

namespace edgeocr::kernels::x86 {

// Of the next tile for `left` columns, in vectors of `lanes`: three vectors, as they do the most products per value that is loaded, but
// two and two rather than three and one.
inline int64_t width_of_tile(int64_t lanes, int64_t left) {
  const int64_t vectors = (left + lanes - 1) / lanes;
  return std::min(left, (vectors == 4 ? 2 : 3) * lanes);
}

}  // namespace edgeocr::kernels::x86
