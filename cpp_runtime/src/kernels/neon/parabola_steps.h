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

// reach: bound of |sum|, less than 2^22. Nothing: the proof does not apply.
std::optional<Points> parabola_points(const Rule& rule, int64_t reach);

// Nothing: no proof was found. Puts a point that was wrong to the front: it is likely to be wrong the next time.
std::optional<Steps> parabola_through(const Rule& rule, const Parabola& parabola, int64_t reach, Points& points);

std::optional<Steps> find_parabola(const Rule& rule, const Bend& bend, int64_t reach);

}  // namespace edgeocr::kernels::neon
