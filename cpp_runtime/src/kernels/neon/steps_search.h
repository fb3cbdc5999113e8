// What the searches for lines and parabolas (requant_steps.h) have in common: starts that put a product where it is wanted.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/neon/steps.h"

namespace edgeocr::kernels::neon {

inline constexpr int kMostScaleBits = 60;
inline constexpr int kScales = 9;  // tried, nearest first

// 0, 1, -1, 2, -2, …
inline int alternating(int i) { return i % 2 == 0 ? -(i / 2) : (i + 1) / 2; }

inline float moved(float v, int units) { return std::bit_cast<float>(std::bit_cast<int32_t>(v) + units); }

// The result of a way that ends near 1.5 * 2^23.
inline bool fits_int16(float v) { return std::abs(v - kRoundingStart) < 32767.0f; }
inline int8_t saturated(int16_t v, int8_t low) { return static_cast<int8_t>(std::clamp<int16_t>(v, low, 127)); }

// A scale m * 2^-bits.
struct ExactScale {
  int64_t m = 0;
  int bits = 0;
  explicit ExactScale(float scale) {
    const float fraction = std::frexp(scale, &bits);
    m = static_cast<int64_t>(std::ldexp(fraction, 24));
    bits = 24 - bits;
  }
};

// The smallest x >= 0 for which a * x mod m lies in [low, high], 0 <= low <= high < m; -1: none. All below 2^62.
int64_t first_multiple_within(int64_t a, int64_t m, int64_t low, int64_t high);

// The first M for which m * M mod 2^bits lies in [low, low + width]; -1: none that leaves room for the reach. bits: at most 60.
int64_t find_start(int64_t m, int bits, int64_t low, int64_t width, int64_t reach);

}  // namespace edgeocr::kernels::neon
