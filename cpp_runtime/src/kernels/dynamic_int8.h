// Dynamic int8: fp32 rows times int8 weights. A row becomes int8 by a scale of its own, and its sums become fp32 again as those of a
// static int8 product do (requant.h), with that scale in place of the input's:
//   s = max|x| / 127, q = quantise(x, 127 / max|x|), value = act(fma(acc, column scale * s, bias))
// Weights are quantised the same way, column by column, when they are loaded.
#pragma once

#include <cstdint>

#include "kernels/requant.h"

namespace edgeocr::kernels {

struct OwnScale {
  float scale = 0, inverse = 0;
};

inline namespace EDGEOCR_ISA {

// NaN counts for nothing.
inline float largest_magnitude(const float* values, int64_t n) {
  float largest = 0;
  for (int64_t i = 0; i < n; i++) {
    const float magnitude = __builtin_fabsf(values[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

// Values so small that 127 divided by them overflows count as zeros.
inline OwnScale own_scale(float largest) {
  constexpr float kSmallest = 0x1p-120f;
  return largest < kSmallest ? OwnScale{} : OwnScale{largest / 127.0f, 127.0f / largest};
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels
