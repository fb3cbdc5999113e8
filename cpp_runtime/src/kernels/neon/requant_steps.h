// Shorter ways from sums to int8 that are proven, when a net is loaded, to give the bits of requant.h.
//
// To int8, a channel is a function of one integer, the sum, and every sum it can have lies within a reach known from the weights. Its
// results change at a few hundred sums only. So another function is the same function, whatever it rounds where, if it gives the same
// results at the sums that matter. For a line, monotone as the channel is, those are both sides of each change and the ends of the reach;
// for a parabola those whose exact values lie nearer to a half than all roundings can bring them. Two are tried (M: steps.h):
//   line       fma(M + sum, scale, offset)                    linear and relu
//   parabola   z = fma(M + sum, scale, offset);               hard_swish; bend and top are one pair for a tile
//              fma(z, clip(z + bend, 0, top), 1.5 * 2^23)
// Scales differ from the channel's own by a few units in the last place, bends from the layer's, and M is chosen so that the offset, a
// float as well, puts the whole where the proof wants it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "kernels/neon/steps.h"

namespace edgeocr::kernels::neon {

// rules: of one activation and calib, at least one. reach: per channel. Nothing: not all of them have a proof.
std::optional<StepsTable> find_steps(std::span<const Rule> rules, std::span<const int64_t> reach);

}  // namespace edgeocr::kernels::neon
