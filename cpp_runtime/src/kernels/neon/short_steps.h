// hard_swish to int8 in 16 bits: shorter than the parabola of requant_steps.h, and not the same bits.
//
//   z = low half of fma(M + sum, scale, offset)                  y in units of u, rounded
//   (2 * z * clip(z + bend, 0, top) + 2^15) >> 16                with u^2 * inverse_scale * calib * 2^15 = 1
// Eight channels are in a register where fp32 has four. Half a unit of z is at most 3/4 * sqrt(calib / inverse_scale) / 181 of a
// result's step, a twentieth for outputs up to 6; results differ by one where a value is that close to a half.
#pragma once

#include <optional>
#include <span>

#include "kernels/neon/steps.h"

namespace edgeocr::kernels::neon {

// What the vector kernels compute.
int8_t short_at(const Steps& steps, const Bend& bend, int32_t sum);

// As find_steps; bends are whole numbers. Nothing: a z might not fit 16 bits, or it is no hard_swish that bends.
std::optional<StepsTable> find_short_steps(std::span<const Rule> rules, std::span<const int64_t> reach);

// fma(M + sum, scale, offset) for the value itself of each channel, about a hundredth of `scale` beside it or less. Nothing: a reach is too
// long.
std::optional<StepsTable> near_steps(std::span<const Rule> rules, std::span<const int64_t> reach);

}  // namespace edgeocr::kernels::neon
