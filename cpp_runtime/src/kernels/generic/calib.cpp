// calib: fp32 to int8 and back by one scale.
#include <memory>

#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Quantise : public Kernel {
 public:
  Quantise(const graph::Node& node, bool to_int8)
      : loops_(current_loops()), input_(input_index(node, "Input")), to_int8_(to_int8), scale_(positive_scale(node, "scale")) {}

  std::string_view name() const override { return to_int8_ ? "generic.calib.fp32_to_int8" : "generic.calib.int8_to_fp32"; }
  bool by_rows() const override { return true; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype("calib", "input", in, to_int8_ ? DataType::f32 : DataType::i8);
    expect_dtype("calib", "output", out, to_int8_ ? DataType::i8 : DataType::f32);
    for_each_run(context, in, [&](int64_t at, int64_t n) {
      if (to_int8_) {
        loops_.quantise(in.as<const float>() + at, 1.0f / scale_, n, out.as<int8_t>() + at);
      } else {
        loops_.dequantise(in.as<const int8_t>() + at, scale_, n, out.as<float>() + at);
      }
    });
  }

 private:
  const Loops& loops_;
  size_t input_;
  bool to_int8_;
  float scale_;
};

}  // namespace

std::unique_ptr<Kernel> create_calib(const graph::Node& node, const graph::Graph&) {
  if (node.alias != "fp32_to_int8" && node.alias != "int8_to_fp32") {
    fail("%s: kernel is %s, expected fp32_to_int8 or int8_to_fp32", node.label().c_str(), node.alias.c_str());
  }
  return std::make_unique<Quantise>(node, node.alias == "fp32_to_int8");
}

}  // namespace edgeocr::kernels::generic
