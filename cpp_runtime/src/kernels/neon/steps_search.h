// What the searches for lines and parabolas (requant_steps.h) need: starts that put a product where it is wanted, and, for lines, where a
// rule's results change.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

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

// The first sum in (low, high] with rule(sum) >= n, where rule(low) < n <= rule(high) and the rule is monotone; found near `guess`.
int32_t first_reaching(const Rule& rule, int n, int64_t low, int64_t high, double guess);

// The sums from `first` to `last` where a rule of Kind, monotone there, comes to give n = from … 127. Guesses are nearly always right, so
// all are tried at once, in loops without branches.
template <ActKind Kind, class Guess>
std::vector<int32_t> changes(const Rule& rule, int from, int64_t first, int64_t last, const Guess& guess) {
  const int bottom = std::max(from, rule(static_cast<int32_t>(first)) + 1), top = rule(static_cast<int32_t>(last));
  const auto count = static_cast<size_t>(std::max(0, top - bottom + 1));
  std::array<int32_t, 256> at;
  std::array<uint8_t, 256> right;
  const auto low = static_cast<double>(first + 1), high = static_cast<double>(last);
  for (size_t i = 0; i < count; i++)
    at[i] = static_cast<int32_t>(std::min(std::max(std::ceil(guess(bottom + static_cast<int>(i))), low), high));
  for (size_t i = 0; i < count; i++) {
    const int n = bottom + static_cast<int>(i);
    const bool reached = rule.result(at[i], Kind) >= n, before = rule.result(at[i] - 1, Kind) < n;
    right[i] = static_cast<uint8_t>(static_cast<int>(reached) & static_cast<int>(before));
  }
  std::vector<int32_t> sums;
  sums.reserve(count);
  for (size_t i = 0; i < count; i++) {
    if (right[i] == 0) at[i] = first_reaching(rule, bottom + static_cast<int>(i), first, last, at[i]);
    if (sums.empty() || sums.back() != at[i]) sums.push_back(at[i]);
    first = std::max<int64_t>(first, at[i] - 1);
  }
  return sums;
}

}  // namespace edgeocr::kernels::neon
