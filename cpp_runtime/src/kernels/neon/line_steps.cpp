#include "kernels/neon/line_steps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "kernels/neon/steps_search.h"

namespace edgeocr::kernels::neon {

namespace {

// The first sum in (low, high] with rule(sum) >= n, where rule(low) < n <= rule(high) and the rule is monotone; found near `guess`.
int32_t first_reaching(const Rule& rule, int n, int64_t low, int64_t high, double guess) {
  int64_t at = static_cast<int64_t>(std::clamp(guess, static_cast<double>(low + 1), static_cast<double>(high)));
  for (int64_t step = 1; low + 1 < high; step *= 2) {
    if (rule(static_cast<int32_t>(at)) >= n) {
      high = at;
      at = std::max(low + 1, at - step);
    } else {
      low = at;
      at = std::min(high - 1, at + step);
    }
    if (step > 8) at = low + (high - low) / 2;
  }
  return static_cast<int32_t>(high);
}

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

// Where the offset of a line of this scale must lie, M left out.
Interval offsets_of(const Rule& rule, std::span<const int32_t> changes, float scale) {
  if (changes.empty()) {
    const double bias = static_cast<double>(rule.channel.bias) * static_cast<double>(rule.calib);
    return {bias - 0.1, bias + 0.1};
  }
  Interval interval{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  for (int32_t sum : changes) {
    const double s = scale;
    interval.low = std::max(interval.low, rule(sum) - 0.5 - s * sum);
    interval.high = std::min(interval.high, rule(sum - 1) + 0.5 - s * (sum - 1));
  }
  return interval;
}

bool is_line(const Rule& rule, const Steps& steps, int8_t low, std::span<const int32_t> changes, int64_t reach) {
  const auto same = [&](int64_t sum) { return line_at(steps, static_cast<int32_t>(sum), low) == rule(static_cast<int32_t>(sum)); };
  for (const int64_t end : {-reach, reach})
    if (!fits_int16(z_of(steps, static_cast<int32_t>(end))) || !same(end)) return false;
  return std::ranges::all_of(changes, [&](int32_t sum) { return same(sum) && same(sum - 1); });
}

std::optional<Steps> line_within(float scale, Interval interval, int64_t reach) {
  const ExactScale exact(scale);
  const double width = interval.high - interval.low;
  if (width <= 0 || exact.bits < 1 || exact.bits > kMostScaleBits) return {};
  const double low = interval.low + width / 4, whole = std::floor(low);
  const int64_t one = int64_t{1} << exact.bits;
  const auto units = [&](double v) { return static_cast<int64_t>(std::min(v, 1.0) * static_cast<double>(one)); };
  const int64_t start = find_start(exact.m, exact.bits, units(low - whole), units(width / 2), reach);
  if (start < 0) return {};
  const double product = static_cast<double>(start) * static_cast<double>(scale);
  const double offset = static_cast<double>(kRoundingStart) + std::round(low + width / 4 - product);
  return Steps{scale, static_cast<float>(offset), start_bits(start)};
}

// Dead channels have no weights or a scale of next to nothing: one result for all sums.
bool is_constant_line(const Rule& rule, int64_t reach) {
  return reach == 0 || (rule.channel.scale >= 0 && rule(static_cast<int32_t>(-reach)) == rule(static_cast<int32_t>(reach)));
}

}  // namespace

int8_t line_at(const Steps& steps, int32_t sum, int8_t low) { return saturated(low_half(z_of(steps, sum)), low); }

std::optional<Steps> find_line(const Rule& rule, int64_t reach) {
  const int8_t low = rule.act.kind == ActKind::relu ? 0 : -127;
  const float scale = rule.channel.scale * rule.calib;
  if (is_constant_line(rule, reach)) return Steps{0.0f, kRoundingStart + static_cast<float>(rule(0)), start_bits(kMiddleStart)};
  if (!(rule.channel.scale > 0) || !(scale > 0) || !std::isnormal(scale)) return {};
  const double slope = rule.channel.scale, bias = rule.channel.bias;
  const double inverse = 1 / static_cast<double>(rule.calib), steps_per_unit = 1 / slope;
  const auto guess = [&](int n) { return ((n - 0.5) * inverse - bias) * steps_per_unit; };
  const std::vector<int32_t> sums = rule.act.kind == ActKind::relu ? changes<ActKind::relu>(rule, -127, -reach, reach, guess)
                                                                   : changes<ActKind::none>(rule, -127, -reach, reach, guess);
  for (int i = 0; i < kScales; i++) {
    const float near = moved(scale, alternating(i));
    const std::optional<Steps> steps = line_within(near, offsets_of(rule, sums, near), reach);
    if (steps && is_line(rule, *steps, low, sums, reach)) return steps;
  }
  return {};
}

}  // namespace edgeocr::kernels::neon
