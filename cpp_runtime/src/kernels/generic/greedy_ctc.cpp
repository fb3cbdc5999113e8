// greedy_ctc (graph/passes/greedy_ctc.h): the winning class of every step, and its score where decoding keeps the step.
#include <algorithm>
#include <limits>
#include <memory>

#include "base/aligned.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

// Index of the largest value, the first of equals; 0 where all are NaN.
int32_t first_of_largest(const float* values, int64_t n) {
  constexpr int64_t kLanes = 16;  // independent maxima: a form that compilers turn into vector code
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, -std::numeric_limits<float>::infinity());
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; lane++) lanes[lane] = std::max(lanes[lane], values[i + lane]);
  for (; i < n; i++) lanes[0] = std::max(lanes[0], values[i]);
  const float largest = *std::max_element(lanes, lanes + kLanes);
  const float* found = std::find(values, values + n, largest);
  return found == values + n ? 0 : static_cast<int32_t>(found - values);
}

class GreedyCtc : public Kernel {
 public:
  explicit GreedyCtc(const graph::Node& node) : loops_(current_loops()), softmax_(node.attr_int("softmax") != 0) {}

  std::string_view name() const override { return "generic.greedy_ctc"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return static_cast<size_t>(threads) * row_bytes(inputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& scores = inputs[0];
    expect_dtype("greedy_ctc", "X", scores, DataType::f32);
    expect_dtype("greedy_ctc", "classes", outputs[0], DataType::i32);
    expect_dtype("greedy_ctc", "probabilities", outputs[1], DataType::f32);
    const int64_t steps = scores.shape[1], n = scores.shape[2], rows = scores.shape[0] * steps;
    auto* classes = outputs[0].as<int32_t>();
    auto* probabilities = outputs[1].as<float>();
    parallel(context, rows, 1, [&](int64_t begin, int64_t end, int worker) {
      auto* softmax = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * row_bytes(scores));
      for (int64_t row = begin; row < end; row++) {
        const float* values = scores.as<const float>() + row * n;
        if (softmax_) {
          loops_.softmax(values, n, softmax);
          values = softmax;
        }
        classes[row] = first_of_largest(values, n);
        probabilities[row] = values[classes[row]];
      }
    });
    for (int64_t row = 0; row < rows; row++) {
      const bool repeated = row % steps != 0 && classes[row] == classes[row - 1];
      if (classes[row] == 0 || repeated) probabilities[row] = 0;
    }
  }

 private:
  static size_t row_bytes(const TensorView& scores) { return align_up(static_cast<size_t>(scores.shape[2]) * sizeof(float)); }

  const Loops& loops_;
  bool softmax_;
};

}  // namespace

std::unique_ptr<Kernel> create_greedy_ctc(const graph::Node& node, const graph::Graph&) { return std::make_unique<GreedyCtc>(node); }

}  // namespace edgeocr::kernels::generic
