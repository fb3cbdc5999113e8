// Activations as operators of their own.
#include <memory>

#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

struct Named {
  std::string_view op;
  UnaryOp function;
  std::string_view kernel;
  bool keeps_zero;  // f(0) = 0: padding lanes may be computed like the rest
};
constexpr Named kNamed[] = {
    {"relu", UnaryOp::relu, "generic.relu", true},
    {"relu6", UnaryOp::relu6, "generic.relu6", true},
    {"leaky_relu", UnaryOp::leaky_relu, "generic.leaky_relu", true},
    {"hard_swish", UnaryOp::hard_swish, "generic.hard_swish", true},
    {"hard_sigmoid", UnaryOp::hard_sigmoid, "generic.hard_sigmoid", false},
    {"sigmoid", UnaryOp::sigmoid, "generic.sigmoid", false},
    {"tanh", UnaryOp::tanh, "generic.tanh", true},
    {"swish", UnaryOp::swish, "generic.swish", true},
};

const Named& named(const graph::Node& node) {
  for (const Named& entry : kNamed)
    if (entry.op == node.op) return entry;
  fail("%s: not an activation", node.label().c_str());
}

UnaryParameters parameters_of(const graph::Node& node, UnaryOp function) {
  UnaryParameters p;
  switch (function) {
    case UnaryOp::relu6: p.act.threshold = node.attr_float("threshold", 6.0f); break;
    case UnaryOp::leaky_relu: p.act.alpha = node.attr_float("alpha"); break;
    case UnaryOp::hard_swish:
      p.act.threshold = node.attr_float("threshold", 6.0f);
      p.act.inverse_scale = 1.0f / node.attr_float("scale", 6.0f);
      p.act.offset = node.attr_float("offset", 3.0f);
      break;
    case UnaryOp::hard_sigmoid:
      p.slope = node.attr_float("slope", 0.2f);
      p.offset = node.attr_float("offset", 0.5f);
      break;
    case UnaryOp::swish: p.beta = node.attr_float("beta", 1.0f); break;
    default: break;
  }
  return p;
}

class Activate : public Kernel {
 public:
  explicit Activate(const graph::Node& node)
      : loops_(current_loops()), input_(input_index(node, "X")), named_(named(node)), parameters_(parameters_of(node, named_.function)) {}

  std::string_view name() const override { return named_.kernel; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype(named_.op, "input", in, DataType::f32);
    expect_dtype(named_.op, "output", out, DataType::f32);
    for_each_run(context, in, out, [&](int64_t from, int64_t to, int64_t n) {
      loops_.unary(named_.function, parameters_, in.as<const float>() + from, n, out.as<float>() + to);
    });
    if (in.is_map() && (!named_.keeps_zero || in.pixel_stride != out.pixel_stride)) clear_padding(out);
  }

 private:
  const Loops& loops_;
  size_t input_;
  const Named& named_;
  UnaryParameters parameters_;
};

}  // namespace

std::unique_ptr<Kernel> create_activation(const graph::Node& node, const graph::Graph&) { return std::make_unique<Activate>(node); }

}  // namespace edgeocr::kernels::generic
