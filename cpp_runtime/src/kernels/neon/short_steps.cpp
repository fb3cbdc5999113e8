#include "kernels/neon/short_steps.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace edgeocr::kernels::neon {

namespace {

constexpr int64_t kStarts = 256;  // tried, in growing steps: even ones might all bring the same fractions
constexpr int64_t kMostReach = kFirstStart / 2 - kStarts * kStarts;
constexpr double kMostZ = 32766, kMostError = 0.1;

struct Nearest {
  Steps steps;
  double error;  // of the offset
};

// Of starts from the middle on the first whose offset loses no more than `tolerance` as a float, else the one that loses least.
Nearest nearest_steps(float scale, double value_of_zero, double tolerance) {
  Nearest best{{scale, 0, 0}, INFINITY};
  for (int64_t i = 0; i < kStarts && best.error > tolerance; i++) {
    const int64_t start = kMiddleStart + i * i;
    const double exact = value_of_zero - static_cast<double>(start) * static_cast<double>(scale);
    const auto offset = static_cast<float>(exact);
    const double error = std::abs(static_cast<double>(offset) - exact);
    if (error < best.error) best = {{scale, offset, start_bits(start)}, error};
  }
  return best;
}

void append(StepsTable& table, const Steps& steps) {
  table.scale.push_back(steps.scale);
  table.offset.push_back(steps.offset);
  table.start.push_back(steps.start);
}

}  // namespace

int8_t short_at(const Steps& steps, const Bend& bend, int32_t sum) {
  const int z = low_half(z_of(steps, sum));
  const int clipped = std::clamp(z + static_cast<int>(bend.offset), 0, static_cast<int>(bend.top));
  return static_cast<int8_t>(std::clamp((2 * z * clipped + (1 << 15)) >> 16, -128, 127));
}

std::optional<StepsTable> find_short_steps(std::span<const Rule> rules, std::span<const int64_t> reach) {
  const Activation& act = rules[0].act;
  const double factor = static_cast<double>(act.inverse_scale) * static_cast<double>(rules[0].calib);
  const double units = std::sqrt(factor * (1 << 15));  // of z in one of y
  const double offset = std::round(act.offset * units), top = std::round(act.threshold * units);
  if (act.kind != ActKind::hard_swish || !(factor > 0) || !(offset > 0) || !(top > offset) || top > kMostZ) return {};
  if (factor * act.offset * act.offset / 4 > 126) return {};  // the lowest result, which is not clamped
  StepsTable table;
  table.bend = {static_cast<float>(offset), static_cast<float>(top)};
  for (size_t i = 0; i < rules.size(); i++) {
    const double scale = static_cast<double>(rules[i].channel.scale) * units, bias = static_cast<double>(rules[i].channel.bias) * units;
    const double most = std::abs(scale) * static_cast<double>(reach[i]) + std::abs(bias);
    if (!(most < kMostZ) || reach[i] >= kMostReach) return {};
    const Nearest nearest = nearest_steps(static_cast<float>(scale), static_cast<double>(kRoundingStart) + bias, kMostError / 8);
    if (nearest.error > kMostError) return {};
    append(table, nearest.steps);
  }
  return table;
}

std::optional<StepsTable> near_steps(std::span<const Rule> rules, std::span<const int64_t> reach) {
  if (std::ranges::any_of(reach, [](int64_t r) { return r >= kMostReach; })) return {};
  StepsTable table;
  for (const Rule& rule : rules) {
    const double scale = rule.channel.scale, bias = rule.channel.bias;
    append(table, nearest_steps(rule.channel.scale, bias, std::abs(scale) / 128).steps);
  }
  return table;
}

}  // namespace edgeocr::kernels::neon
