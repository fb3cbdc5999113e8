// How the sums of neighbouring channels, which are computed together, begin and end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/int8/inner_loops.h"
#include "kernels/requant.h"

namespace edgeocr::kernels::int8 {

// How a channel is defined. Where the form rounds results at once they are these, else what it does begins with the channel's scale.
struct Rule {
  ChannelScale channel{};
  Activation act{};  // none, relu or hard_swish
  float calib = 1;

  int8_t operator()(int32_t sum) const { return result(sum, act.kind); }
  // `kind` is act.kind, passed apart so that a loop can fix it at compile time.
  int8_t result(int32_t sum, ActKind kind) const { return round_to_int8(activate(requantise(sum, channel), kind, act) * calib); }
};

// Those of some neighbouring channels; none stay none.
inline std::span<const Rule> part(std::span<const Rule> rules, size_t first, size_t count) {
  return rules.empty() ? rules : rules.subspan(first, count);
}

// What is known of the sums, per channel.
struct Sums {
  std::span<const int64_t> weights;  // the sum of the weights
  std::span<const int64_t> reach;    // bound of |sum|
};

struct Ending {
  Form form{};
  std::vector<int32_t> start{};  // where each sum begins
  // In place of the constants of these names: scale and bias where there are any, the others of Store::steps and short_steps.
  std::vector<float> scale{}, bias{};
  float offset = 0, threshold = 0;

  // all: of all channels; first: the one that is the first here.
  FinishConstants constants(FinishConstants all, int64_t first) const {
    if (form.store == Store::steps || form.store == Store::short_steps) {
      all.offset = offset;
      all.threshold = threshold;
    }
    if (!scale.empty()) {
      all.scale = scale.data();
      all.bias = bias.data();
    } else if (all.scale != nullptr) {
      all.scale += first;
      all.bias += first;
    }
    return all;
  }
};

}  // namespace edgeocr::kernels::int8
