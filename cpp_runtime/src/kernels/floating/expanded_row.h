// Files that are compiled once per instruction set level include this one, so nothing of the standard library is used in it
// (generic/simd.h).
#pragma once

#include <cstdint>

namespace edgeocr::kernels::floating {

// What UpsampledSource makes of its products: for every pixel of the source the first output over it, those between, the last.
template <class T> struct ExpandedRow {
  const T *plain, *along;   // [width][lanes], [width + 1][2][lanes]
  const T *between, *both;  // [width][2][lanes], [width + 1][4][lanes], of the half that counts
  bool boundary;            // whether those two count
  int64_t width, lanes;
  T* out;  // [width][3][lanes]
};

}  // namespace edgeocr::kernels::floating
