#include "kernels/floating/upsampled_source.h"

#include <span>

namespace edgeocr::kernels::floating {

namespace {

// How the three taps of one dimension enter a product.
enum class Taps { sum, first, minus_last };
float coefficient(Taps taps, int64_t tap) {
  switch (taps) {
    case Taps::sum: return 1;
    case Taps::first: return tap == 0 ? 1.0f : 0.0f;
    case Taps::minus_last: break;
  }
  return tap == 2 ? -1.0f : 0.0f;
}
struct Combination {
  Taps rows, columns;
};

constexpr Combination kPlain[] = {{Taps::sum, Taps::sum}};
constexpr Combination kAlong[] = {{Taps::sum, Taps::first}, {Taps::sum, Taps::minus_last}};
constexpr Combination kBetween[] = {{Taps::first, Taps::sum}, {Taps::minus_last, Taps::sum}};
constexpr Combination kBoth[] = {
    {Taps::first, Taps::first}, {Taps::first, Taps::minus_last}, {Taps::minus_last, Taps::first}, {Taps::minus_last, Taps::minus_last}};

std::span<const Combination> combinations_of(UpsampledProduct product) {
  switch (product) {
    case UpsampledProduct::plain: return kPlain;
    case UpsampledProduct::along: return kAlong;
    case UpsampledProduct::between: return kBetween;
    case UpsampledProduct::both: break;
  }
  return kBoth;
}

}  // namespace

UpsampledWeights upsampled_weights(const graph::Constant& filter, int64_t lanes, UpsampledProduct product) {
  const auto combinations = combinations_of(product);
  const auto values = filter.as<float>();
  const int64_t outputs = filter.shape[0], inputs = filter.shape[1];
  const auto weight = [=](int64_t, int64_t c, int64_t column) {
    const int64_t o = column % lanes;
    if (c >= inputs || o >= outputs) return 0.0f;
    const Combination& combination = combinations[static_cast<size_t>(column / lanes)];
    double sum = 0;
    for (int64_t tap = 0; tap < 9; tap++) {
      const float factor = coefficient(combination.rows, tap / 3) * coefficient(combination.columns, tap % 3);
      sum += static_cast<double>(factor * values[static_cast<size_t>((o * inputs + c) * 9 + tap)]);
    }
    return static_cast<float>(sum);
  };
  return {static_cast<int64_t>(combinations.size()) * lanes, weight};
}

}  // namespace edgeocr::kernels::floating
