// scale: x * scale + bias, or (x + bias) * scale, then activation_type.
#include <memory>

#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Scale : public Kernel {
 public:
  explicit Scale(const graph::Node& node)
      : loops_(current_loops()), input_(input_index(node, "X")), scale_(node.attr_float("scale", 1.0f)),
        act_(named_activation(node, "activation_type")) {
    if (node.input("ScaleTensor") != graph::kNoValue) fail("%s: ScaleTensor is given, expected the attribute scale", node.label().c_str());
    const float bias = node.attr_float("bias", 0.0f);
    (node.attr_int("bias_after_scale", 1) != 0 ? after_ : before_) = bias;
  }

  std::string_view name() const override { return "generic.scale"; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype("scale", "input", in, DataType::f32);
    expect_dtype("scale", "output", out, DataType::f32);
    for_each_run(context, in, [&](int64_t at, int64_t n) {
      loops_.affine(in.as<const float>() + at, before_, scale_, after_, act_, n, out.as<float>() + at);
    });
    clear_padding(out);
  }

 private:
  const Loops& loops_;
  size_t input_;
  float before_ = 0, scale_ = 1, after_ = 0;
  Activation act_;
};

}  // namespace

std::unique_ptr<Kernel> create_scale(const graph::Node& node, const graph::Graph&) { return std::make_unique<Scale>(node); }

}  // namespace edgeocr::kernels::generic
