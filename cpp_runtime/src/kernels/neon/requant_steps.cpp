#include "kernels/neon/requant_steps.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace edgeocr::kernels::neon {

namespace {

constexpr int64_t kFirstStart = int64_t{1} << 23, kEndOfStarts = int64_t{1} << 24;
constexpr int32_t kStartBits = 0x4B000000;  // of 2^23
constexpr int kMostScaleBits = 60;
constexpr int kLineScales = 9;  // tried, nearest first
constexpr int kParabolaScales = 7, kParabolaShifts = 25;
// By how many units bends differ from the nearest, in the order of trying.
constexpr std::pair<int, int> kBends[] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}, {2, 0}, {-2, 0}};
constexpr int64_t kMostPoints = 1 << 14;
constexpr int64_t kShort = int64_t{1} << 30;  // products of two of them fit in 64 bits, with room

// 0, 1, -1, 2, -2, …
int alternating(int i) { return i % 2 == 0 ? -(i / 2) : (i + 1) / 2; }

float moved(float v, int units) { return std::bit_cast<float>(std::bit_cast<int32_t>(v) + units); }

int16_t low_half(float v) { return static_cast<int16_t>(std::bit_cast<int32_t>(v)); }
float start_plus(const Steps& steps, int32_t sum) { return std::bit_cast<float>(steps.start + sum); }
bool fits_int16(float v) { return std::abs(v - kRoundingStart) < 32767.0f; }
int8_t saturated(int16_t v, int8_t low) { return static_cast<int8_t>(std::clamp<int16_t>(v, low, 127)); }

float line_value(const Steps& steps, int32_t sum) { return fused_multiply_add(start_plus(steps, sum), steps.scale, steps.offset); }
float parabola_value(const Steps& steps, const Bend& bend, int32_t sum) {
  const float z = line_value(steps, sum);
  return fused_multiply_add(z, clip(z + bend.offset, 0.0f, bend.top), kRoundingStart);
}

// A scale m * 2^-bits.
struct ExactScale {
  int64_t m = 0;
  int bits = 0;
  explicit ExactScale(float scale) {
    const float fraction = std::frexp(scale, &bits);
    m = static_cast<int64_t>(std::ldexp(fraction, 24));
    bits = 24 - bits;
  }
};

int64_t modulo(int64_t a, int64_t m) {
  const int64_t rest = a % m;
  return rest < 0 ? rest + m : rest;
}

// The first M for which m * M mod `modulus` lies in [low, low + width]; -1: none that leaves room for the reach.
int64_t find_start(int64_t m, int64_t modulus, int64_t low, int64_t width, int64_t reach) {
  const int64_t first = kFirstStart + reach, end = kEndOfStarts - reach;
  if (first >= end || width < 0) return -1;
  if (width >= modulus - 1) return first;
  const int64_t from = modulo(low - m * first, modulus);
  const int64_t to = from + width;
  const int64_t steps = to >= modulus ? 0 : first_multiple_within(m % modulus, modulus, from, to);
  return steps < 0 || first + steps >= end ? -1 : first + steps;
}

int32_t start_bits(int64_t start) { return kStartBits + static_cast<int32_t>(start - kFirstStart); }

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

struct Interval {
  double low, high;
};

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
    if (!fits_int16(line_value(steps, static_cast<int32_t>(end))) || !same(end)) return false;
  return std::ranges::all_of(changes, [&](int32_t sum) { return same(sum) && same(sum - 1); });
}

std::optional<Steps> line_within(float scale, Interval interval, int64_t reach) {
  const ExactScale exact(scale);
  const double width = interval.high - interval.low;
  if (width <= 0 || exact.bits < 1 || exact.bits > kMostScaleBits) return {};
  const double low = interval.low + width / 4, whole = std::floor(low);
  const int64_t one = int64_t{1} << exact.bits;
  const auto units = [&](double v) { return static_cast<int64_t>(std::min(v, 1.0) * static_cast<double>(one)); };
  const int64_t start = find_start(exact.m, one, units(low - whole), units(width / 2), reach);
  if (start < 0) return {};
  const double product = static_cast<double>(start) * static_cast<double>(scale);
  const double offset = static_cast<double>(kRoundingStart) + std::round(low + width / 4 - product);
  return Steps{scale, static_cast<float>(offset), start_bits(start)};
}

// Near its lowest point hard_swish is no monotone function of the sum. There it can change only at sums whose exact value is close to
// a half, closer than what all roundings and all changes of scale and offset that are tried come to: 2^-18 of the largest factors.
bool add_valley(const Rule& rule, int64_t reach, std::vector<int32_t>& sums) {
  const double scale = rule.channel.scale, bias = rule.channel.bias, offset = rule.act.offset;
  const double factor = static_cast<double>(rule.act.inverse_scale) * rule.calib, depth = factor * offset * offset / 4;
  const double error = std::ldexp(4 * depth + 127, -18);
  if (depth > 126 || !(error < 0.25)) return false;
  const auto add = [&](double from, double to) {
    const auto sum_of = [&](double y) { return std::clamp((y - bias) / scale, static_cast<double>(-reach), static_cast<double>(reach)); };
    const auto first = static_cast<int64_t>(std::floor(sum_of(from))) - 1, last = static_cast<int64_t>(std::ceil(sum_of(to))) + 1;
    if (last - first > kMostPoints) return false;
    for (int64_t sum = std::max(first, -reach); sum <= std::min(last, reach); sum++) sums.push_back(static_cast<int32_t>(sum));
    return true;
  };
  for (double half = 0.5; half - error <= depth; half++) {
    const double outer = std::sqrt((depth - half + error) / factor), inner = std::sqrt(std::max(0.0, (depth - half - error) / factor));
    if (!add(-offset / 2 - outer, -offset / 2 - inner) || !add(-offset / 2 + inner, -offset / 2 + outer)) return false;
  }
  return true;
}

bool has_bend(const Rule& rule) {
  return rule.act.offset > 0 && rule.act.threshold > rule.act.offset && rule.act.inverse_scale * rule.calib > 0;
}

double unit_of(const Rule& rule) { return std::sqrt(static_cast<double>(rule.act.inverse_scale) * static_cast<double>(rule.calib)); }

// Dead channels have no weights or a scale of next to nothing: one result for all sums.
constexpr int64_t kMiddleStart = kFirstStart + kFirstStart / 2;

bool is_constant_line(const Rule& rule, int64_t reach) {
  return reach == 0 || (rule.channel.scale >= 0 && rule(static_cast<int32_t>(-reach)) == rule(static_cast<int32_t>(reach)));
}

bool is_constant_parabola(const Rule& rule, int64_t reach) {
  if (reach == 0) return true;
  if (!(rule.channel.scale >= 0)) return false;
  const float low = requantise(static_cast<int32_t>(-reach), rule.channel), high = requantise(static_cast<int32_t>(reach), rule.channel);
  const float most = std::max(std::abs(low), std::abs(high)) * rule.act.threshold * rule.act.inverse_scale * rule.calib;
  return most < 0.25f || (low >= 0 && rule(static_cast<int32_t>(-reach)) == rule(static_cast<int32_t>(reach)));
}

// Sums and the results of a hard_swish, apart: loops over them are vectorised.
struct Points {
  std::vector<int32_t> sums;
  std::vector<int8_t> results;

  Points(const Rule& rule, std::vector<int32_t> given) : sums(std::move(given)), results(sums.size()) {
    std::ranges::transform(sums, results.begin(), [rule](int32_t sum) { return rule.result(sum, ActKind::hard_swish); });
  }

  // The first whose result is not that of the steps; the count of points if there is none.
  size_t first_wrong(const Steps& steps, const Bend& bend) const {
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
};

// What a parabola must go through to be the rule; nothing where the proof does not apply.
std::optional<Points> parabola_points(const Rule& rule, int64_t reach) {
  if (!has_bend(rule)) return {};
  if (is_constant_parabola(rule, reach)) return Points(rule, {0});
  if (!(rule.channel.scale > 0)) return {};
  const double scale = rule.channel.scale, bias = rule.channel.bias, offset = rule.act.offset, threshold = rule.act.threshold;
  const double factor = static_cast<double>(rule.act.inverse_scale) * rule.calib;
  const double zero = std::clamp(std::ceil(-bias / scale) + 1, static_cast<double>(-reach), static_cast<double>(reach));
  const double inverse = 1 / factor, inverse_threshold = 1 / threshold, steps_per_unit = 1 / scale;
  const auto guess = [&](int n) {  // of factor * y * min(y + offset, threshold)
    const double product = (n - 0.5) * inverse, bent = std::sqrt(static_cast<float>(offset * offset / 4 + product)) - offset / 2;
    return ((bent + offset <= threshold ? bent : product * inverse_threshold) - bias) * steps_per_unit;
  };
  std::vector<int32_t> sums = changes<ActKind::hard_swish>(rule, 1, static_cast<int64_t>(zero), reach, guess);
  for (size_t i = 0, n = sums.size(); i < n; i++) sums.push_back(sums[i] - 1);
  for (const int64_t end : {-reach, reach}) sums.push_back(static_cast<int32_t>(end));
  if (!add_valley(rule, reach, sums)) return {};
  return Points(rule, std::move(sums));
}

// As a line, but the offset needs no fraction of its own: only to be a float, so close to `target` that no rounding of z sees it.
std::optional<Steps> parabola_near(float scale, double target, double tolerance, int64_t reach) {
  const ExactScale exact(scale);
  if (exact.bits < 1 || exact.bits > kMostScaleBits) return {};
  // The offset is a multiple of 2^24 units of the scale.
  constexpr int64_t kGrid = int64_t{1} << 24;
  const double units = std::ldexp(target, exact.bits);
  if (!(std::abs(units) < 0x1p61)) return {};
  const auto room = static_cast<int64_t>(std::clamp(std::ldexp(tolerance, exact.bits), 1.0, 0x1p20));
  const int64_t start = find_start(exact.m, kGrid, modulo(std::llround(units) - room, kGrid), 2 * room, reach);
  if (start < 0) return {};
  const double whole = std::round((units - static_cast<double>(start) * static_cast<double>(exact.m)) / static_cast<double>(kGrid));
  return Steps{scale, static_cast<float>(std::ldexp(whole, 24 - exact.bits)), start_bits(start)};
}

// Puts a point that was wrong to the front: it is likely to be wrong the next time.
std::optional<Steps> parabola_through(const Rule& rule, const Bend& bend, int64_t reach, Points& points) {
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
  const auto scale = static_cast<float>(static_cast<double>(rule.channel.scale) * unit);
  if (!std::isnormal(scale)) return {};
  const double largest = 127 / static_cast<double>(bend.top);  // z that matters
  for (int sum = 0; sum < kParabolaScales + kParabolaShifts; sum++)
    for (int i = 0; i <= sum && i < kParabolaScales; i++) {
      const int j = sum - i;
      if (j >= kParabolaShifts) continue;
      const double target = bias + alternating(j) * std::ldexp(largest, -27);
      const std::optional<Steps> steps = parabola_near(moved(scale, alternating(i)), target, std::ldexp(largest, -29), reach);
      if (steps && fits(*steps)) return steps;
    }
  return {};
}

// One of each channel, or nothing. `hardest`: the channel to begin with; then the one that had none.
template <class Find> std::optional<StepsTable> all_of(size_t channels, size_t& hardest, const Find& find) {
  StepsTable table{std::vector<float>(channels), std::vector<float>(channels), std::vector<int32_t>(channels), {}};
  const size_t first = hardest;
  for (size_t n = 0; n < channels; n++) {
    const size_t i = (first + n) % channels;
    const std::optional<Steps> steps = find(i);
    if (!steps) {
      hardest = i;
      return {};
    }
    table.scale[i] = steps->scale;
    table.offset[i] = steps->offset;
    table.start[i] = steps->start;
  }
  return table;
}

}  // namespace

int8_t line_at(const Steps& steps, int32_t sum, int8_t low) { return saturated(low_half(line_value(steps, sum)), low); }

int8_t parabola_at(const Steps& steps, const Bend& bend, int32_t sum) {
  return saturated(low_half(parabola_value(steps, bend, sum)), -127);
}

int64_t first_multiple_within(int64_t a, int64_t m, int64_t low, int64_t high) {
  if (low == 0) return 0;
  if (a == 0) return -1;
  if (a > m / 2) return first_multiple_within(m - a, m, m - high, m - low);
  const int64_t x = (low + a - 1) / a;
  if (a * x <= high) return x;
  // a x - m y within [low, high]: m y mod a within [-high, -low] mod a, which has no multiple of a inside.
  const int64_t y = first_multiple_within(m % a, a, modulo(-high, a), modulo(-low, a));
  if (y < 0) return -1;
  // (m y + low) / a, rounded up, of a product that may be longer than 64 bits.
  const int64_t whole = m / a * y;
  if (a <= kShort) return whole + (m % a * y + low + a - 1) / a;
  return whole + static_cast<int64_t>((static_cast<__int128>(m % a) * y + low + a - 1) / a);
}

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
  for (int i = 0; i < kLineScales; i++) {
    const float near = moved(scale, alternating(i));
    const std::optional<Steps> steps = line_within(near, offsets_of(rule, sums, near), reach);
    if (steps && is_line(rule, *steps, low, sums, reach)) return steps;
  }
  return {};
}

Bend bend_of(const Rule& rule) {
  const double unit = unit_of(rule);
  return {static_cast<float>(rule.act.offset * unit), static_cast<float>(rule.act.threshold * unit)};
}

std::optional<Steps> find_parabola(const Rule& rule, const Bend& bend, int64_t reach) {
  std::optional<Points> points = parabola_points(rule, reach);
  return points ? parabola_through(rule, bend, reach, *points) : std::nullopt;
}

std::optional<StepsTable> find_steps(std::span<const Rule> rules, std::span<const int64_t> reach) {
  if (std::ranges::any_of(reach, [](int64_t r) { return r >= kFirstStart / 2; })) return {};
  size_t hardest = 0;
  if (rules[0].act.kind != ActKind::hard_swish)
    return all_of(rules.size(), hardest, [&](size_t i) { return find_line(rules[i], reach[i]); });
  std::vector<Points> points;
  for (size_t i = 0; i < rules.size(); i++) {
    std::optional<Points> own = parabola_points(rules[i], reach[i]);
    if (!own) return {};
    points.push_back(std::move(*own));
  }
  for (const auto [offset, top] : kBends) {
    const Bend nearest = bend_of(rules[0]), bend{moved(nearest.offset, offset), moved(nearest.top, top)};
    auto table = all_of(rules.size(), hardest, [&](size_t i) { return parabola_through(rules[i], bend, reach[i], points[i]); });
    if (!table) continue;
    table->bend = bend;
    return table;
  }
  return {};
}

}  // namespace edgeocr::kernels::neon
