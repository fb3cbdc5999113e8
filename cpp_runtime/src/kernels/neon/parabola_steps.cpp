#include "kernels/neon/parabola_steps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "kernels/neon/steps_search.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr double kMostPoints = 1 << 14;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kOffsets = 11;  // tried for a scale, about the middle of where they may be

float parabola_value(const Steps& steps, const Bend& bend, int32_t sum) {
  const float z = z_of(steps, sum);
  return fused_multiply_add(z, clip(z + bend.offset, 0.0f, bend.top), kRoundingStart);
}

double unit_of(const Rule& rule) { return std::sqrt(static_cast<double>(rule.act.inverse_scale) * static_cast<double>(rule.calib)); }

// By how much values up to 127 differ from their exact ones with all roundings and all changes of scale, offset and bend that are tried:
// 64 roundings of the largest factors. The rule itself has six, z three, a bend that is moved by two units five, what limits_of leaves z
// is 16. bend: the offset of z.
double most_error(double bend) { return std::ldexp(bend * bend + 127, -18); }

bool has_bend(const Rule& rule) {
  return rule.act.offset > 0 && rule.act.threshold > rule.act.offset && rule.act.inverse_scale * rule.calib > 0;
}

// As a dead channel's (line_steps.cpp): one result for all sums.
bool is_constant_parabola(const Rule& rule, int64_t reach) {
  if (reach == 0) return true;
  if (!(rule.channel.scale >= 0)) return false;
  const float low = requantise(static_cast<int32_t>(-reach), rule.channel), high = requantise(static_cast<int32_t>(reach), rule.channel);
  const float most = std::max(std::abs(low), std::abs(high)) * rule.act.threshold * rule.act.inverse_scale * rule.calib;
  return most < 0.25f || (low >= 0 && rule(static_cast<int32_t>(-reach)) == rule(static_cast<int32_t>(reach)));
}

// As a line, but the offset needs no fraction of its own: only to be a float, so close to `target` that no rounding of z sees it.
std::optional<Steps> parabola_near(float scale, double target, double tolerance, int64_t reach) {
  const ExactScale exact(scale);
  if (exact.bits < 1 || exact.bits > kMostScaleBits) return {};
  // The offset is a multiple of 2^24 units of the scale.
  constexpr int kGridBits = 24;
  const double units = std::ldexp(target, exact.bits);
  if (!(std::abs(units) < 0x1p61)) return {};
  const auto room = static_cast<int64_t>(std::clamp(std::ldexp(tolerance, exact.bits), 1.0, 0x1p20));
  const int64_t start = find_start(exact.m, kGridBits, std::llround(units) - room, 2 * room, reach);
  if (start < 0) return {};
  const double whole = std::round(std::ldexp(units - static_cast<double>(start) * static_cast<double>(exact.m), -kGridBits));
  return Steps{scale, static_cast<float>(std::ldexp(whole, kGridBits - exact.bits)), start_bits(start)};
}

// Between which values z must be at a sum.
struct Limit {
  double sum;
  Interval z;
};

// By how much a z may differ from the exact one between -bend and the last: a quarter of the error.
double most_change(const Parabola& parabola) { return most_error(parabola.bend().offset) / (4 * parabola.steepest()); }

// Of the points, and of the ends between which results change. scale and bias: the channel's own, for z, not rounded.
std::vector<Limit> limits_of(const Points& points, const Parabola& parabola, double scale, double bias, int64_t reach) {
  const double bend = parabola.bend().offset, change = most_change(parabola), most = static_cast<double>(reach);
  std::vector<Limit> limits;
  limits.reserve(points.sums.size() + 2);
  for (const double end : {-bend, parabola.last()}) {
    const double sum = std::clamp((end - bias) / scale, -most, most), z = scale * sum + bias;
    limits.push_back({sum, {z - change, z + change}});
  }
  for (size_t i = 0; i < points.sums.size(); i++) {
    const double sum = points.sums[i];
    limits.push_back({sum, parabola.z_of(points.results[i], scale * sum + bias)});
  }
  return limits;
}

// Where the offset of z, M left out, keeps all limits, and the two that end the interval.
struct Offsets {
  Interval interval{-kInfinity, kInfinity};
  Limit lowest{}, highest{};
  double width() const { return interval.high - interval.low; }
};

Offsets offsets_within(std::span<const Limit> limits, float scale) {
  Offsets offsets;
  for (const Limit& limit : limits) {
    const double product = static_cast<double>(scale) * limit.sum, low = limit.z.low - product, high = limit.z.high - product;
    if (low > offsets.interval.low) {
      offsets.interval.low = low;
      offsets.lowest = limit;
    }
    if (high < offsets.interval.high) {
      offsets.interval.high = high;
      offsets.highest = limit;
    }
  }
  return offsets;
}

}  // namespace

int8_t parabola_at(const Steps& steps, const Bend& bend, int32_t sum) {
  return saturated(low_half(parabola_value(steps, bend, sum)), -127);
}

Bend bend_of(const Rule& rule) {
  const double unit = unit_of(rule);
  return {static_cast<float>(rule.act.offset * unit), static_cast<float>(rule.act.threshold * unit)};
}

Parabola::Parabola(const Bend& bend) : bend_(bend), lowest_(-static_cast<double>(bend.offset) * bend.offset / 4) {
  const double middle = -static_cast<double>(bend.offset) / 2, top = bend.top;
  for (size_t n = 0; n < left_.size(); n++) {
    const double value = static_cast<double>(n) - 127.5, root = std::sqrt(std::max(0.0, value - lowest_));
    left_[n] = value < 0 ? middle - root : -kInfinity;
    right_[n] = root - middle <= top ? root + middle : value / top;
  }
  right_.back() = kInfinity;  // 127 and more
}

double Parabola::steepest() const {
  return std::max(2 * std::min(last(), bend_.top - static_cast<double>(bend_.offset)) + bend_.offset, static_cast<double>(bend_.top));
}

Interval Parabola::z_of(int8_t result, double z) const {
  const auto n = static_cast<size_t>(result + 128);
  if (result + 0.5 < lowest_) return {kInfinity, -kInfinity};
  if (result - 0.5 < lowest_) return {left_[n], right_[n]};
  const bool is_right = result > 0 || z >= -static_cast<double>(bend_.offset) / 2;
  return is_right ? Interval{right_[n - 1], right_[n]} : Interval{left_[n], left_[n - 1]};
}

Points::Points(const Rule& rule, std::vector<int32_t> given) : sums(std::move(given)), results(sums.size()) {
  std::ranges::transform(sums, results.begin(), [rule](int32_t sum) { return rule.result(sum, ActKind::hard_swish); });
}

size_t Points::first_wrong(const Steps& steps, const Bend& bend) const {
  constexpr size_t kBlock = 32;
  const size_t count = sums.size();
  const auto is_wrong = [&](size_t i) { return parabola_at(steps, bend, sums[i]) != results[i]; };
  if (count == 0 || is_wrong(0)) return 0;
  size_t i = 0;
  for (bool wrong = false; i + kBlock <= count; i += kBlock) {
    for (size_t j = i; j < i + kBlock; j++) wrong |= is_wrong(j);
    if (wrong) break;
  }
  while (i < count && !is_wrong(i)) i++;
  return i;
}

std::optional<NearHalves> NearHalves::of(const Rule& rule) {
  if (!has_bend(rule)) return {};
  const double offset = rule.act.offset, threshold = rule.act.threshold, middle = -offset / 2;
  const double factor = static_cast<double>(rule.act.inverse_scale) * rule.calib, depth = factor * offset * offset / 4;
  const double error = most_error(offset * unit_of(rule));
  if (depth > 126 || !(error < 0.25)) return {};
  // How far from the middle the parabola has a value; on the right it goes over to a line.
  const auto distance = [&](double value) { return std::sqrt(std::max(0.0, (depth + value) / factor)); };
  const auto right = [&](double value) {
    const double bent = middle + distance(value);
    return bent + offset <= threshold ? bent : value / (factor * threshold);
  };
  NearHalves halves;
  for (double half = -0.5; half + error >= -depth; half--) {
    const double inner = distance(half - error), outer = distance(half + error);
    halves.intervals_.push_back({middle - outer, middle - inner});
    halves.intervals_.push_back({middle + inner, middle + outer});
  }
  for (double half = 0.5; half < 127; half++) halves.intervals_.push_back({right(half - error), right(half + error)});
  return halves;
}

std::optional<Points> NearHalves::points(const Rule& rule, int64_t reach) const {
  if (is_constant_parabola(rule, reach)) return Points(rule, {0});
  if (!(rule.channel.scale > 0)) return {};
  const double bias = rule.channel.bias, steps_per_unit = 1 / static_cast<double>(rule.channel.scale), most = static_cast<double>(reach);
  std::vector<int32_t> sums;
  sums.reserve(intervals_.size());
  for (const int64_t end : {-reach, reach}) sums.push_back(static_cast<int32_t>(end));
  for (const Interval& y : intervals_) {
    const double first = std::max(std::ceil((y.low - bias) * steps_per_unit), -most);
    const double last = std::min(std::floor((y.high - bias) * steps_per_unit), most);
    if (last - first > kMostPoints) return {};
    for (double sum = first; sum <= last; sum++) sums.push_back(static_cast<int32_t>(sum));
  }
  return Points(rule, std::move(sums));
}

std::optional<Steps> parabola_through(const Rule& rule, const Parabola& parabola, int64_t reach, Points& points) {
  const Bend& bend = parabola.bend();
  const double unit = unit_of(rule), bias = static_cast<double>(rule.channel.bias) * unit;
  const auto fits = [&](const Steps& steps) {
    if (!fits_int16(parabola_value(steps, bend, static_cast<int32_t>(reach)))) return false;
    const size_t wrong = points.first_wrong(steps, bend);
    if (wrong == points.sums.size()) return true;
    std::swap(points.sums[wrong], points.sums[0]);
    std::swap(points.results[wrong], points.results[0]);
    return false;
  };
  if (is_constant_parabola(rule, reach)) {
    const Steps steps{0.0f, static_cast<float>(bias), start_bits(kMiddleStart)};
    return fits(steps) ? std::optional(steps) : std::nullopt;
  }
  const double own_scale = static_cast<double>(rule.channel.scale) * unit;
  const auto scale = static_cast<float>(own_scale);
  if (!std::isnormal(scale)) return {};
  const double largest = 127 / static_cast<double>(bend.top);  // z that matters
  const double rounding = std::ldexp(largest, -26);
  std::optional<Steps> steps;
  // Most channels are done with the nearest scale. Where the bias is so large that its rounding may move z by more than limits_of allows,
  // the offset has to make up for it.
  if (std::ldexp(std::abs(bias) + parabola.last(), -25) < most_change(parabola)) {
    steps = parabola_near(scale, bias, rounding / 8, reach);
    if (steps && fits(*steps)) return steps;
  }
  const std::vector<Limit> limits = limits_of(points, parabola, own_scale, bias, reach);
  const double least_width = -2 * rounding;  // roundings may help where exact arithmetic has nothing
  std::vector<Limit> tight;                  // those that left no room for a scale mostly leave none for the next
  for (int i = 0; i < kScales; i++) {
    const float near = moved(scale, alternating(i));
    if (offsets_within(tight, near).width() < least_width) continue;
    const Offsets offsets = offsets_within(limits, near);
    tight.insert(tight.end(), {offsets.lowest, offsets.highest});
    if (offsets.width() < least_width) continue;
    const double middle = (offsets.interval.low + offsets.interval.high) / 2;
    for (int j = 0; j < kOffsets; j++) {
      const double target = middle + alternating(j) * std::max(offsets.width() / (kOffsets + 1), rounding / 2);
      steps = parabola_near(near, target, rounding / 8, reach);
      if (steps && fits(*steps)) return steps;
    }
  }
  return {};
}

std::optional<Steps> find_parabola(const Rule& rule, const Bend& bend, int64_t reach) {
  const std::optional<NearHalves> halves = NearHalves::of(rule);
  std::optional<Points> points = halves ? halves->points(rule, reach) : std::nullopt;
  return points ? parabola_through(rule, Parabola(bend), reach, *points) : std::nullopt;
}

}  // namespace edgeocr::kernels::neon
