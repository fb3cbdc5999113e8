// exp, sigmoid and tanh of math.h against the C library in double precision.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "kernels/math.h"

namespace edgeocr::kernels {

namespace {

// Calls body for about 2^32 / step finite values, of every exponent and both signs.
template <class Body> void for_floats(uint32_t step, const Body& body) {
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += step) {
    const float v = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (std::isfinite(v)) body(v);
  }
}

constexpr uint32_t kStep = 16411;
constexpr double kSmallest = std::numeric_limits<float>::min();

double relative(double actual, double expected) { return std::fabs(actual - expected) / std::fabs(expected); }

}  // namespace

TEST_CASE("exp is within 1e-7 of the exact value") {
  double worst = 0;
  const auto check = [&](float x) {
    const double exact = std::exp(static_cast<double>(x));
    if (exact > std::numeric_limits<float>::max()) {
      CHECK(exp_f32(x) == INFINITY);
    } else if (exact < kSmallest) {
      CHECK(exp_f32(x) <= std::numeric_limits<float>::min());
    } else {
      worst = std::max(worst, relative(exp_f32(x), exact));
    }
  };
  for_floats(kStep, check);
  for (float x = -90; x < 90; x += 0.0037f) check(x);
  CHECK(worst <= 1e-7);
  CHECK(exp_f32(0.0f) == 1.0f);
  CHECK(exp_f32(-INFINITY) == 0.0f);
  CHECK(exp_f32(INFINITY) == INFINITY);
  CHECK(std::isnan(exp_f32(NAN)));
}

TEST_CASE("sigmoid is within 2e-7 of the exact value") {
  double worst = 0;
  const auto check = [&](float x) {
    const double exact = 1 / (1 + std::exp(-static_cast<double>(x)));
    if (exact >= kSmallest) worst = std::max(worst, relative(sigmoid_f32(x), exact));
  };
  for_floats(kStep, check);
  for (float x = -80; x < 30; x += 0.0011f) check(x);
  CHECK(worst <= 2e-7);
  CHECK(sigmoid_f32(0.0f) == 0.5f);
  CHECK(sigmoid_f32(-INFINITY) == 0.0f);
  CHECK(sigmoid_f32(INFINITY) == 1.0f);
}

TEST_CASE("tanh is within 1e-7 absolute and 2e-7 relative of the exact value") {
  double worst = 0, worst_relative = 0;
  const auto check = [&](float x) {
    const double exact = std::tanh(static_cast<double>(x));
    worst = std::max(worst, std::fabs(tanh_f32(x) - exact));
    if (std::fabs(exact) >= kSmallest) worst_relative = std::max(worst_relative, relative(tanh_f32(x), exact));
  };
  for_floats(kStep, check);
  for (float x = -10; x < 10; x += 0.00013f) check(x);
  CHECK(worst <= 1e-7);
  CHECK(worst_relative <= 2e-7);
  CHECK(tanh_f32(INFINITY) == 1.0f);
  CHECK(tanh_f32(-INFINITY) == -1.0f);
  CHECK(std::isnan(tanh_f32(NAN)));
}

}  // namespace edgeocr::kernels
