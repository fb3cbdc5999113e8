// hard_swish to int8 by a parabola: z = fma(M + sum, scale, offset); fma(z, clip(z + bend, 0, top), 1.5 * 2^23).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/neon/steps.h"

namespace edgeocr::kernels::neon {

// What the vector kernels compute.
int8_t parabola_at(const Steps& steps, const Bend& bend, int32_t sum);

Bend bend_of(const Rule& rule);  // the nearest

// z * clip(z + bend, 0, top) in exact arithmetic.
class Parabola {
 public:
  explicit Parabola(const Bend& bend);

  const Bend& bend() const { return bend_; }

  // Where z is for a result; z: about, which tells the side of the lowest point. Empty (high < low) where no z has the result.
  Interval z_of(int8_t result, double z) const;

  double last() const { return right_[right_.size() - 2]; }  // the z of 126.5, beyond which all results are 127
  double steepest() const;                                   // the largest slope up to there

 private:
  Bend bend_;
  double lowest_;
  std::array<double, 256> left_, right_;  // the z of result + 1/2, for -128 … 127, left and right of the lowest point
};

// Sums whose results a parabola must have to be the rule. Apart from the results: loops over them are vectorised.
struct Points {
  std::vector<int32_t> sums;
  std::vector<int8_t> results;

  Points(const Rule& rule, std::vector<int32_t> given);

  // The first whose result is not that of the steps; the count of points if there is none.
  size_t first_wrong(const Steps& steps, const Bend& bend) const;
};

// Where the exact values of rules that have an activation and a calib in common are so close to a half that roundings, or another scale,
// offset or bend of those that are tried, may bring another result. Sums whose values lie elsewhere need no trying.
class NearHalves {
 public:
  // Nothing: the proof does not apply.
  static std::optional<NearHalves> of(const Rule& rule);

  // reach: bound of |sum|, less than 2^22. Nothing: there are too many, or the channel falls.
  std::optional<Points> points(const Rule& rule, int64_t reach) const;

 private:
  std::vector<Interval> intervals_;  // of what hard_swish reads
};

// Nothing: no proof was found. Puts a point that was wrong to the front: it is likely to be wrong the next time.
std::optional<Steps> parabola_through(const Rule& rule, const Parabola& parabola, int64_t reach, Points& points);

std::optional<Steps> find_parabola(const Rule& rule, const Bend& bend, int64_t reach);

}  // namespace edgeocr::kernels::neon
