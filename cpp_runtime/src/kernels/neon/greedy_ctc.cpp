// greedy_ctc behind a softmax (graph/passes/greedy_ctc.h), with the bits of the plain kernel: the largest probability is that of the
// largest score, e^0 over the sum, and the sum is made for kept steps only.
#include <cmath>
#include <limits>
#include <memory>

#include "kernels/generic/views.h"
#include "kernels/neon/scores_f32.h"
#include "kernels/neon/softmax_row.h"

namespace edgeocr::kernels::neon {

namespace {

// The winning class of one step. Its probability, where asked for, is 1 / sum().
class Step {
 public:
  Step(const float* scores, int64_t n) : scores_(scores), n_(n), highest_(largest_of(scores, n)) {}

  // Scores that differ by less than a few units in the last place of 1 may have one probability, and the first of equal ones wins.
  int32_t winner() {
    if (!std::isfinite(highest_)) return 0;  // all probabilities are NaN
    constexpr float kReach = 1e-6f;
    int64_t i = first_from(highest_ - kReach);
    if (scores_[i] == highest_) return static_cast<int32_t>(i);
    while (exp_f32(scores_[i] - highest_) / sum() != probability()) i++;
    return static_cast<int32_t>(i);
  }

  float probability() { return 1.0f / sum(); }

 private:
  // Index of the first score that is at least `bound`, which one is.
  int64_t first_from(float bound) const {
    int64_t i = 0;
    for (; i + 16 <= n_; i += 16) {
      const float32x4_t a = vmaxq_f32(vld1q_f32(scores_ + i), vld1q_f32(scores_ + i + 4));
      const float32x4_t b = vmaxq_f32(vld1q_f32(scores_ + i + 8), vld1q_f32(scores_ + i + 12));
      if (vmaxvq_f32(vmaxq_f32(a, b)) >= bound) break;
    }
    while (!(scores_[i] >= bound)) i++;
    return i;
  }

  float sum() {
    if (!std::isfinite(highest_)) return std::numeric_limits<float>::quiet_NaN();
    if (sum_ == 0) sum_ = sum_of_exponentials<false>(scores_, n_, highest_, nullptr);
    return sum_;
  }

  const float* scores_;
  int64_t n_;
  float highest_;
  float sum_ = 0;  // 0: not made yet
};

class GreedyCtc : public Kernel {
 public:
  std::string_view name() const override { return "neon.greedy_ctc"; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& scores = inputs[0];
    generic::expect_dtype(name(), "X", scores, DataType::f32);
    generic::expect_dtype(name(), "classes", outputs[0], DataType::i32);
    generic::expect_dtype(name(), "probabilities", outputs[1], DataType::f32);
    const int64_t steps = scores.shape[1], n = scores.shape[2];
    const auto step = [&](int64_t row) { return Step(scores.as<const float>() + row * n, n); };
    generic::parallel(context, scores.shape[0] * steps, 1, [&](int64_t begin, int64_t end, int) {
      // What the worker before finds out last is found out twice.
      int32_t before = begin % steps == 0 ? 0 : step(begin - 1).winner();
      for (int64_t row = begin; row < end; row++) {
        if (row % steps == 0) before = 0;
        Step now = step(row);
        const int32_t winner = now.winner();
        outputs[0].as<int32_t>()[row] = winner;
        outputs[1].as<float>()[row] = winner == 0 || winner == before ? 0.0f : now.probability();
        before = winner;
      }
    });
  }
};

}  // namespace

bool accepts_greedy_ctc(const graph::Node& node, const graph::Graph&) { return node.tail == nullptr && node.attr_int("softmax") != 0; }

std::unique_ptr<Kernel> create_greedy_ctc(const graph::Node&, const graph::Graph&) { return std::make_unique<GreedyCtc>(); }

}  // namespace edgeocr::kernels::neon
