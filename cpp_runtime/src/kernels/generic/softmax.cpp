// softmax along any axis. A line along the axis that is not contiguous passes through a copy.
#include <memory>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Softmax : public Kernel {
 public:
  explicit Softmax(const graph::Node& node) : loops_(current_loops()), input_(input_index(node, "X")), axis_(node.attr_int("axis", -1)) {}

  std::string_view name() const override { return "generic.softmax"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs[input_]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype("softmax", "input", in, DataType::f32);
    expect_dtype("softmax", "output", out, DataType::f32);
    const int axis = positive_axis("softmax", axis_, in.shape.rank());
    const Strides from = strides_of(in), to = strides_of(out);
    const int64_t n = in.shape[axis], from_step = from[static_cast<size_t>(axis)], to_step = to[static_cast<size_t>(axis)];
    Shape lines = in.shape;
    lines[axis] = 1;
    parallel(context, n == 0 ? 0 : lines.count(), 1, [&](int64_t begin, int64_t end, int worker) {
      auto* copy = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * worker_bytes(in));
      for (int64_t line = begin; line < end; line++) {
        const float* source = in.as<const float>() + offset(lines, from, line);
        float* target = out.as<float>() + offset(lines, to, line);
        if (from_step == 1 && to_step == 1) {
          loops_.softmax(source, n, target);
          continue;
        }
        for (int64_t i = 0; i < n; i++) copy[i] = source[i * from_step];
        loops_.softmax(copy, n, copy + n);
        for (int64_t i = 0; i < n; i++) target[i * to_step] = copy[n + i];
      }
    });
    clear_padding(out);
  }

 private:
  size_t worker_bytes(const TensorView& in) const {
    const int axis = positive_axis("softmax", axis_, in.shape.rank());
    return align_up(2 * static_cast<size_t>(in.shape[axis]) * sizeof(float));
  }

  static int64_t offset(const Shape& shape, const Strides& strides, int64_t index) {
    int64_t at = 0;
    for (int i = shape.rank() - 1; i >= 0; i--) {
      at += index % shape[i] * strides[static_cast<size_t>(i)];
      index /= shape[i];
    }
    return at;
  }

  const Loops& loops_;
  size_t input_;
  int64_t axis_;
};

}  // namespace

std::unique_ptr<Kernel> create_softmax(const graph::Node& node, const graph::Graph&) { return std::make_unique<Softmax>(node); }

}  // namespace edgeocr::kernels::generic
