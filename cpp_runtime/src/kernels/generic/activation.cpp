// Activations as operators of their own.
#include <memory>

#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/unary.h"

namespace edgeocr::kernels::generic {

namespace {

std::string_view kernel_name(UnaryOp op) {
  switch (op) {
    case UnaryOp::relu: return "generic.relu";
    case UnaryOp::relu6: return "generic.relu6";
    case UnaryOp::leaky_relu: return "generic.leaky_relu";
    case UnaryOp::hard_swish: return "generic.hard_swish";
    case UnaryOp::hard_sigmoid: return "generic.hard_sigmoid";
    case UnaryOp::sigmoid: return "generic.sigmoid";
    case UnaryOp::tanh: return "generic.tanh";
    case UnaryOp::swish: return "generic.swish";
  }
  return {};
}

class Activate : public Kernel {
 public:
  explicit Activate(const graph::Node& node) : loops_(current_loops()), input_(input_index(node, "X")), unary_(unary_of(node)) {}

  std::string_view name() const override { return kernel_name(unary_.op); }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype(name(), "input", in, DataType::f32);
    expect_dtype(name(), "output", out, DataType::f32);
    for_each_run(context, in, [&](int64_t at, int64_t n) {
      loops_.unary(unary_.op, unary_.parameters, in.as<const float>() + at, n, out.as<float>() + at);
    });
    if (!keeps_zero(unary_.op)) clear_padding(out);
  }

 private:
  const Loops& loops_;
  size_t input_;
  Unary unary_;
};

}  // namespace

std::unique_ptr<Kernel> create_activation(const graph::Node& node, const graph::Graph&) { return std::make_unique<Activate>(node); }

}  // namespace edgeocr::kernels::generic
