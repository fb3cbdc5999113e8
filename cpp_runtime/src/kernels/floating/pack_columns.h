// Weights of a matrix product as the register tiles read them.
#pragma once

#include <cstdint>
#include <vector>

namespace edgeocr::kernels::floating {

// Values of `columns` columns of a product. rgb: of every four of k the last is zero and left out.
inline int64_t packed_count(int64_t segments, int64_t k, int64_t columns, bool rgb) { return segments * (rgb ? k / 4 * 3 : k) * columns; }

// Appends [segment][k][column] of columns first … first + columns - 1; returns where. weight: float(segment, k, column).
template <class T, class Weight>
const T* pack_columns(int64_t segments, int64_t k, int64_t first, int64_t columns, bool rgb, const Weight& weight, std::vector<T>& packed) {
  const size_t before = packed.size();
  packed.resize(before + static_cast<size_t>(packed_count(segments, k, columns, rgb)));
  T* to = packed.data() + before;
  for (int64_t segment = 0; segment < segments; segment++)
    for (int64_t i = 0; i < k; i++) {
      if (rgb && i % 4 == 3) continue;
      for (int64_t column = first; column < first + columns; column++) *to++ = static_cast<T>(weight(segment, i, column));
    }
  return packed.data() + before;
}

}  // namespace edgeocr::kernels::floating
