// The short ways from sums to int8, over every sum in reach.
#if defined(__aarch64__)
#include "kernels/neon/requant_steps.h"

#include "kernels/neon/line_steps.h"
#include "kernels/neon/parabola_steps.h"
#include "kernels/neon/steps_search.h"

#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

using namespace kernels::neon;

kernels::Activation hard_swish_of(float output_scale) {
  const kernels::Activation real{.kind = kernels::ActKind::hard_swish, .threshold = 6, .offset = 3, .inverse_scale = 1.0f / 6};
  return kernels::in_units_of(real, output_scale);
}

// As scales and biases of networks are: a sum of usual size is a few tens of steps of the output.
Rule random_rule(Random& random, kernels::ActKind kind, int64_t reach) {
  Rule rule;
  rule.act.kind = kind;
  const float real = random.real(2, 12) / static_cast<float>(reach), output_scale = random.real(0.01f, 0.1f);
  if (random.chance(50)) {
    rule.channel = {real, random.real(-2, 2)};
    rule.calib = 1.0f / output_scale;
    if (kind == kernels::ActKind::hard_swish) rule.act = hard_swish_of(1);
  } else {
    rule.channel = {real / output_scale, random.real(-2, 2) / output_scale};
    if (kind == kernels::ActKind::hard_swish) rule.act = hard_swish_of(output_scale);
  }
  return rule;
}

// The first sum for which they differ, as text.
template <class Steps> std::string difference(const Rule& rule, int64_t reach, const Steps& at) {
  for (int64_t sum = -reach; sum <= reach; sum++)
    if (at(static_cast<int32_t>(sum)) != rule(static_cast<int32_t>(sum))) return std::to_string(sum);
  return "none";
}

// Whether a parabola was found, after checking it over every sum.
bool finds_parabola(const Rule& rule, int64_t reach) {
  const auto bend = bend_of(rule);
  const auto steps = find_parabola(rule, bend, reach);
  if (steps) CHECK(difference(rule, reach, [&](int32_t sum) { return parabola_at(*steps, bend, sum); }) == "none");
  return steps.has_value();
}

}  // namespace

TEST_CASE("a line that was found gives what the channel gives for every sum") {
  Random random(81);
  int found = 0;
  for (int i = 0; i < 150; i++) {
    const int64_t reach = random.integer(1, random.chance(30) ? 300 : 20000);
    const Rule rule = random_rule(random, random.chance(50) ? kernels::ActKind::relu : kernels::ActKind::none, reach);
    const auto steps = find_line(rule, reach);
    if (!steps) continue;
    found++;
    const int8_t low = rule.act.kind == kernels::ActKind::relu ? 0 : -127;
    CAPTURE(i);
    CHECK(difference(rule, reach, [&](int32_t sum) { return line_at(*steps, sum, low); }) == "none");
  }
  CHECK(found > 140);
}

TEST_CASE("a parabola that was found gives what the channel gives for every sum") {
  Random random(82);
  int found = 0;
  for (int i = 0; i < 150; i++) {
    const int64_t reach = random.integer(1, random.chance(30) ? 300 : 20000);
    CAPTURE(i);
    found += finds_parabola(random_rule(random, kernels::ActKind::hard_swish, reach), reach) ? 1 : 0;
  }
  CHECK(found > 130);
}

TEST_CASE("a parabola tells between which z it gives a result") {
  Random random(86);
  for (int i = 0; i < 50; i++) {
    const Bend bend{random.real(0.5f, 20), random.real(21, 40)};
    const Parabola parabola(bend);
    CAPTURE(bend.offset);
    for (double z = -1.5 * static_cast<double>(bend.offset); z < 12; z += 1.0 / 64) {
      const double value = z * std::clamp<double>(z + static_cast<double>(bend.offset), 0, static_cast<double>(bend.top));
      const auto result = static_cast<int8_t>(std::min(std::nearbyint(value), 127.0));
      const Interval interval = parabola.z_of(result, z);
      CAPTURE(z);
      CHECK((interval.low <= z + 1e-9 && interval.high >= z - 1e-9));
      if (std::isfinite(interval.high) && z > 0) {
        const double end = interval.high * std::min(interval.high + static_cast<double>(bend.offset), static_cast<double>(bend.top));
        CHECK(std::fabs(end - (result + 0.5)) < 1e-9);
      }
    }
    CHECK(parabola.z_of(-127, 0).low > parabola.z_of(-127, 0).high);
  }
}

TEST_CASE("a parabola that was found gives what the channel gives where its bias dwarfs its results") {
  Random random(88);
  int found = 0;
  for (int i = 0; i < 400; i++) {
    const int64_t reach = random.integer(2000, 40000);
    Rule rule = random_rule(random, kernels::ActKind::hard_swish, reach);
    const float bias = random.real(100, 30000) * (random.chance(80) ? -1.0f : 1.0f);
    rule.channel.scale = std::fabs(bias) * random.real(0.9f, 1.2f) / static_cast<float>(reach);
    rule.channel.bias = bias;
    CAPTURE(i);
    found += finds_parabola(rule, reach) ? 1 : 0;
  }
  CHECK(found > 100);
}

TEST_CASE("sums whose values are not near a half have one result with every scale, offset and bend that may be tried") {
  Random random(87);
  size_t near = 0, all = 0;
  for (int i = 0; i < 60; i++) {
    const int64_t reach = random.integer(1, 20000);
    const Rule rule = random_rule(random, kernels::ActKind::hard_swish, reach);
    const auto halves = NearHalves::of(rule);
    REQUIRE(halves);
    const auto points = halves->points(rule, reach);
    REQUIRE(points);
    std::vector<int32_t> sums = points->sums;
    std::ranges::sort(sums);
    const Bend nearest = bend_of(rule);
    const double unit = std::sqrt(static_cast<double>(rule.act.inverse_scale) * static_cast<double>(rule.calib));
    CAPTURE(i);
    for (int64_t sum = -reach; sum <= reach; sum++) {
      all++;
      if (std::ranges::binary_search(sums, static_cast<int32_t>(sum))) {
        near++;
        continue;
      }
      const double y = static_cast<double>(rule.channel.scale) * static_cast<double>(sum) + static_cast<double>(rule.channel.bias);
      const int by = random.pick({-4, 4}), bend = random.pick({-2, 2}), top = random.pick({-2, 2});
      const float z = moved(static_cast<float>(y * unit), by),
                  clipped = kernels::clip(z + moved(nearest.offset, bend), 0.0f, moved(nearest.top, top));
      const int8_t result = saturated(low_half(kernels::fused_multiply_add(z, clipped, kRoundingStart)), -127);
      CAPTURE(sum);
      if (std::fabs(z) * clipped < 32767) REQUIRE(result == rule(static_cast<int32_t>(sum)));
    }
  }
  CHECK(near < all / 4);
}

TEST_CASE("a tile has steps for all of its channels or none") {
  Random random(85);
  int found = 0;
  for (int i = 0; i < 12; i++) {
    const kernels::ActKind kind = random.pick({kernels::ActKind::relu, kernels::ActKind::hard_swish});
    std::vector<Rule> rules;
    const std::vector<int64_t> reach(8, random.integer(500, 9000));
    for (int channel = 0; channel < 8; channel++) {
      rules.push_back(random_rule(random, kind, reach[0]));
      rules.back().act = rules[0].act;
      rules.back().calib = rules[0].calib;
    }
    const auto table = find_steps(rules, reach);
    if (!table) continue;
    found++;
    for (size_t channel = 0; channel < rules.size(); channel++) {
      const Steps steps{table->scale[channel], table->offset[channel], table->start[channel]};
      CAPTURE(channel);
      CHECK(difference(rules[channel], reach[0], [&](int32_t sum) {
              return kind == kernels::ActKind::relu ? line_at(steps, sum, 0) : parabola_at(steps, table->bend, sum);
            }) == "none");
    }
    rules[3].channel.scale = -rules[3].channel.scale;
    CHECK(!find_steps(rules, reach));
  }
  CHECK(found > 8);
}

TEST_CASE("dead channels have a way: their one result") {
  Random random(84);
  for (int i = 0; i < 40; i++) {
    const bool bent = random.chance(50);
    Rule rule = random_rule(random, bent ? kernels::ActKind::hard_swish : kernels::ActKind::none, 1000);
    rule.channel = {random.pick({0.0f, 1e-44f, 1e-30f}), random.chance(50) ? 1e-39f : random.real(0.5f, 3)};
    const auto bend = bend_of(rule);
    const auto steps = bent ? find_parabola(rule, bend, 1000) : find_line(rule, 1000);
    REQUIRE(steps);
    const auto at = [&](int32_t sum) { return bent ? parabola_at(*steps, bend, sum) : line_at(*steps, sum, -127); };
    CHECK(difference(rule, 1000, at) == "none");
  }
}

TEST_CASE("channels without weights, with a negative or a vast scale, have their own way or none") {
  for (const float bias : {-200.0f, -0.5f, 0.0f, 3.5f, 126.5f, 1e30f}) {
    const Rule rule{.channel = {0, bias}};
    CHECK(line_at(find_line(rule, 0).value(), 0, -127) == rule(0));
  }
  CHECK(!find_line({.channel = {-0.01f, 0}}, 1000));
  CHECK(!find_line({.channel = {1e10f, 0}}, 1000));
  CHECK(!find_line({.channel = {100.0f, 0}}, 1000));  // 16 bits are not enough
  Rule bent{.channel = {0.01f, 0}, .act = hard_swish_of(1)};
  bent.act.offset = 0;
  CHECK(!find_parabola(bent, bend_of(bent), 1000));
}

TEST_CASE("the first multiple within a range is the first") {
  Random random(83);
  for (int i = 0; i < 3000; i++) {
    const int64_t m = random.integer(2, 300), a = random.integer(0, m - 1);
    const int64_t low = random.integer(0, m - 1), high = random.integer(low, m - 1);
    int64_t expected = -1;
    for (int64_t x = 0; x < m && expected < 0; x++)
      if (a * x % m >= low && a * x % m <= high) expected = x;
    CAPTURE(a);
    CAPTURE(m);
    CAPTURE(low);
    CAPTURE(high);
    REQUIRE(first_multiple_within(a, m, low, high) == expected);
  }
}

}  // namespace edgeocr::kernel_test
#endif
