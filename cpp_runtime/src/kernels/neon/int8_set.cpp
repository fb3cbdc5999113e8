// NEON as the kernel set of the int8 kernels.
#include <algorithm>
#include <utility>

#include "kernels/int8/kernel_set.h"
#include "kernels/neon/finish.h"
#include "kernels/neon/inner_loops_i8.h"
#include "kernels/neon/requant_steps.h"
#include "kernels/neon/requantise.h"
#include "kernels/neon/short_steps.h"
#include "kernels/processor.h"

namespace edgeocr::kernels::int8 {

const InnerLoops* usable_loops() {
  static constexpr InnerLoops kLoops{
      .set = "neon",
      .gemm = neon::gemm_i8,
      .transpose_quads = neon::transpose_quads,
      .transposed_zero = 0,
      .depthwise_columns = neon::kDepthwiseColumns,
      .depthwise = neon::depthwise_i8,
      .sum_products = neon::sum_products,
      .spread_places = neon::spread_places,
      .quantise = neon::quantise<Store::calib>,
      .quantise_bounded = neon::quantise<Store::bounded_calib>,
      .quantise_fast = neon::quantise_fast,
      .largest_magnitude = neon::largest_magnitude,
  };
  return has_armv82_dotprod() ? &kLoops : nullptr;
}

int64_t tile_columns(int64_t left) { return left >= 24 ? 24 : left >= 16 ? 16 : 8; }

namespace {

bool rounds_at_once(const Form& form) {
  return (form.store == Store::calib || form.store == Store::bounded_calib) && form.function != Function::residual;
}

bool has_fast_form(const Form& form) {
  return form.function != Function::by_row && (!stores_int8(form.store) || form.store == Store::bounded_calib);
}

Ending stepping(const Form& form, neon::StepsTable steps) {
  return {.form = form,
          .start = std::move(steps.start),
          .scale = std::move(steps.scale),
          .bias = std::move(steps.offset),
          .offset = steps.bend.offset,
          .threshold = steps.bend.top};
}

}  // namespace

// A short way where all channels have one; else sums that begin at the bits of a float where they allow that.
Ending choose_ending(const Form& form, const Sums& sums, std::span<const Rule> rules) {
  if (rounds_at_once(form) && !rules.empty()) {
    if (form.fast && form.function == Function::hard_swish)
      if (std::optional<neon::StepsTable> steps = neon::find_short_steps(rules, sums.reach))
        return stepping({.function = form.function, .store = Store::short_steps}, std::move(*steps));
    if (std::optional<neon::StepsTable> steps = neon::find_steps(rules, sums.reach))
      return stepping({.function = form.function, .store = Store::steps}, std::move(*steps));
  } else if (form.fast && has_fast_form(form) && !rules.empty()) {
    if (std::optional<neon::StepsTable> steps = neon::near_steps(rules, sums.reach)) return stepping(form, std::move(*steps));
  }
  Ending ending{.form = form};
  ending.form.fast = false;
  ending.form.wide = std::ranges::any_of(sums.reach, [](int64_t reach) { return reach >= neon::kSumLimit; });
  ending.start.assign(sums.reach.size(), ending.form.wide || form.store == Store::sums ? 0 : neon::kSumStartBits);
  return ending;
}

namespace {

class NeonFinish : public FinishColumns {
 public:
  NeonFinish(int64_t columns, const Activation& act, const TailParameters& tail)
      : finish_(std::vector<float>(static_cast<size_t>(columns)), act, tail, true) {}

  void run(float* y, float* other, int64_t row, int64_t column, int64_t columns, std::span<const TensorView> inputs,
           std::span<const TensorView> outputs) const override {
    finish_.run_columns(y, other, row, column, columns, inputs, outputs);
  }

 private:
  neon::Finish<float> finish_;
};

}  // namespace

std::unique_ptr<FinishColumns> finish_columns(int64_t columns, const Activation& act, const TailParameters& tail) {
  return std::make_unique<NeonFinish>(columns, act, tail);
}

}  // namespace edgeocr::kernels::int8
