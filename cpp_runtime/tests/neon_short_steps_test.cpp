// The short hard_swish against the rule that it stands for, over every sum in reach.
#if defined(__aarch64__)
#include "kernels/neon/short_steps.h"

#include <algorithm>
#include <cmath>

#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

using namespace kernels::neon;

// y: the largest value of a sum.
Rule hard_swish_rule(float y, int64_t reach, float output_scale, float bias) {
  Rule rule;
  rule.act = {.kind = kernels::ActKind::hard_swish, .threshold = 6, .offset = 3, .inverse_scale = 1.0f / 6};
  rule.channel = {y / static_cast<float>(reach), bias};
  rule.calib = 1 / output_scale;
  return rule;
}

std::optional<StepsTable> short_steps_of(const Rule& rule, int64_t reach) { return find_short_steps({&rule, 1}, {&reach, 1}); }

// In steps of the output, not rounded.
double exact(const Rule& rule, int32_t sum) {
  const double y = static_cast<double>(rule.channel.scale) * sum + static_cast<double>(rule.channel.bias);
  return std::clamp(y * std::clamp(y + 3, 0.0, 6.0) / 6 * static_cast<double>(rule.calib), -127.0, 127.0);
}

}  // namespace

TEST_CASE("a short hard_swish is within a tenth of a step of its rule, then rounded") {
  Random random(91);
  int found = 0;
  for (int i = 0; i < 200; i++) {
    const int64_t reach = random.integer(1, random.chance(30) ? 300 : 20000);
    const Rule rule = hard_swish_rule(random.real(2, 12), reach, random.real(0.04f, 0.1f), random.real(-2, 2));
    CAPTURE(i);
    const std::optional<StepsTable> table = short_steps_of(rule, reach);
    if (!table) continue;
    found++;
    const Steps steps{table->scale[0], table->offset[0], table->start[0]};
    double worst = 0;
    for (int64_t s = -reach; s <= reach; s++) {
      const auto sum = static_cast<int32_t>(s);
      worst = std::max(worst, std::abs(short_at(steps, table->bend, sum) - exact(rule, sum)));
    }
    CHECK(worst < 0.6);
  }
  CHECK(found > 150);
}

TEST_CASE("a hard_swish has no short steps where a sum might leave 16 bits or the lowest result is cut") {
  CHECK(short_steps_of(hard_swish_rule(60, 20000, 0.05f, 1), 20000));
  CHECK_FALSE(short_steps_of(hard_swish_rule(200, 20000, 0.05f, 1), 20000));
  CHECK_FALSE(short_steps_of(hard_swish_rule(1, 20000, 0.002f, 1), 20000));
  Rule relu = hard_swish_rule(6, 20000, 0.05f, 1);
  relu.act.kind = kernels::ActKind::relu;
  CHECK_FALSE(short_steps_of(relu, 20000));
}

}  // namespace edgeocr::kernel_test
#endif
