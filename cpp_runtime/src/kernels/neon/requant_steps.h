// Shorter ways from sums to int8 that are proven, when a net is loaded, to give the bits of requant.h.
//
// To int8, a channel is a function of one integer, the sum, and every sum it can have lies within a reach known from the weights. Its
// results change at a few hundred sums only. So another function that is monotone between them too, and gives the same results on both
// sides of each change and at the ends of the reach, is the same function, whatever it rounds where. Two are tried:
//   line       fma(M + sum, scale, offset)                    linear and relu
//   parabola   z = fma(M + sum, scale, offset);               hard_swish; bend and top are one pair for a tile
//              fma(z, clip(z + bend, 0, top), 1.5 * 2^23)
// M + sum is a float whose bits are start + sum (requantise.h), M = 2^23 + reach … 2^24 - reach. A value v is read off a float near
// 1.5 * 2^23, where floats are the integers: adding has rounded it, and it is the low 16 bits.
// Scales differ from the channel's own by a few units in the last place, bends from the layer's, and M is chosen so that the offset, a
// float as well, puts the whole where the proof wants it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/int8/ending.h"

namespace edgeocr::kernels::neon {

inline constexpr float kRoundingStart = 12582912.0f;  // 1.5 * 2^23

using int8::Rule;

// How a channel is computed.
struct Steps {
  float scale = 0, offset = 0;
  int32_t start = 0;
};
struct Bend {
  float offset = 0, top = 0;
};

// What the vector kernels compute.
int8_t line_at(const Steps& steps, int32_t sum, int8_t low);
int8_t parabola_at(const Steps& steps, const Bend& bend, int32_t sum);

// reach: bound of |sum|, less than 2^22. Nothing: no proof was found.
std::optional<Steps> find_line(const Rule& rule, int64_t reach);
Bend bend_of(const Rule& rule);  // the nearest
std::optional<Steps> find_parabola(const Rule& rule, const Bend& bend, int64_t reach);

// Channels that are computed together.
struct StepsTable {
  std::vector<float> scale, offset;
  std::vector<int32_t> start;
  Bend bend;  // of hard_swish
};
// rules: of one activation and calib, at least one. reach: per channel. Nothing: not all of them have a proof.
std::optional<StepsTable> find_steps(std::span<const Rule> rules, std::span<const int64_t> reach);

// The smallest x >= 0 for which a * x mod m lies in [low, high], 0 <= low <= high < m; -1: none. All below 2^62.
int64_t first_multiple_within(int64_t a, int64_t m, int64_t low, int64_t high);

}  // namespace edgeocr::kernels::neon
