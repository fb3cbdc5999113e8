// Ways from a channel's sum to int8 that go by a float whose bits are start + sum.
//
// M + sum is such a float, M = 2^23 + reach … 2^24 - reach: with |sum| up to the reach it stays where floats are the integers. A value v is
// read off a float near 1.5 * 2^23, where they are so too: adding has rounded it, and it is the low 16 bits.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "kernels/int8/ending.h"

namespace edgeocr::kernels::neon {

inline constexpr float kRoundingStart = 12582912.0f;  // 1.5 * 2^23

inline constexpr int64_t kFirstStart = int64_t{1} << 23, kEndOfStarts = int64_t{1} << 24, kMiddleStart = kFirstStart + kFirstStart / 2;

using int8::Rule;

// How a channel is computed: z = fma(M + sum, scale, offset), and what the way makes of z.
struct Steps {
  float scale = 0, offset = 0;
  int32_t start = 0;  // the bits of M
};
struct Bend {
  float offset = 0, top = 0;
};

struct Interval {
  double low, high;
};

// Channels that are computed together.
struct StepsTable {
  std::vector<float> scale, offset;
  std::vector<int32_t> start;
  Bend bend;  // of hard_swish
};

inline int32_t start_bits(int64_t start) { return std::bit_cast<int32_t>(static_cast<float>(start)); }

inline float z_of(const Steps& steps, int32_t sum) {
  return fused_multiply_add(std::bit_cast<float>(steps.start + sum), steps.scale, steps.offset);
}

inline int16_t low_half(float v) { return static_cast<int16_t>(std::bit_cast<int32_t>(v)); }

}  // namespace edgeocr::kernels::neon
