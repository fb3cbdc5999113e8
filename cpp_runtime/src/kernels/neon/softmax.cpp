// softmax of rows: along the last dimension of a matrix. Other axes are left to the plain kernel.
#include <cmath>
#include <memory>

#include "kernels/generic/loops.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/neon/plain_kernel.h"
#include "kernels/neon/scores_f32.h"
#include "kernels/neon/softmax_row.h"

namespace edgeocr::kernels::neon {

namespace {

void softmax_row(const generic::Loops& loops, const float* in, int64_t n, float* out) {
  const float highest = largest_of(in, n);
  if (!std::isfinite(highest)) return loops.softmax(in, n, out);
  const float sum = sum_of_exponentials<true>(in, n, highest, out);
  const float32x4_t divisor = vdupq_n_f32(sum);
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(out + i, vdivq_f32(vld1q_f32(out + i), divisor));
  for (; i < n; i++) out[i] = out[i] / sum;
}

class Softmax : public Kernel {
 public:
  Softmax(const graph::Node& node, const graph::Graph& graph)
      : loops_(generic::current_loops()), input_(generic::input_index(node, "X")), axis_(node.attr_int("axis", -1)) {
    plain_ = plain_kernel<float>(node, graph);
  }

  std::string_view name() const override { return "neon.softmax"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return by_rows_of(inputs[input_]) ? 0 : plain_->scratch_bytes(inputs, outputs, threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    if (!by_rows_of(in)) return plain_->run(context, inputs, outputs);
    generic::expect_dtype(name(), "input", in, DataType::f32);
    generic::expect_dtype(name(), "output", out, DataType::f32);
    const int64_t n = in.shape[in.shape.rank() - 1];
    generic::parallel(context, n == 0 ? 0 : in.shape.count() / n, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) softmax_row(loops_, in.as<const float>() + row * n, n, out.as<float>() + row * n);
    });
  }

 private:
  bool by_rows_of(const TensorView& in) const {
    const int rank = in.shape.rank();
    return rank != 4 && generic::positive_axis("softmax", axis_, rank) == rank - 1;
  }

  const generic::Loops& loops_;
  size_t input_;
  int64_t axis_;
  std::unique_ptr<Kernel> plain_;
};

}  // namespace

bool accepts_softmax(const graph::Node& node, const graph::Graph&) { return node.tail == nullptr; }

std::unique_ptr<Kernel> create_softmax(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Softmax>(node, graph);
}

}  // namespace edgeocr::kernels::neon
