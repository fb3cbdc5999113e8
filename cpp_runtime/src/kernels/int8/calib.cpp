// calib from fp32 to int8.
#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/int8/operators.h"

namespace edgeocr::kernels::int8 {

namespace {

class Calib : public Kernel {
 public:
  explicit Calib(const graph::Node& node)
      : input_(generic::input_index(node, "Input")), inverse_scale_(1.0f / generic::single_scale(node, "scale")),
        quantise_(graph::is_fast_int8(node) ? inner_loops().quantise_fast : inner_loops().quantise) {}

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    generic::expect_dtype(name(), "input", in, DataType::f32);
    generic::expect_dtype(name(), "output", out, DataType::i8);
    generic::for_each_run(context, in,
                          [&](int64_t at, int64_t n) { quantise_(in.as<const float>() + at, inverse_scale_, n, out.as<int8_t>() + at); });
  }

 private:
  std::string name_ = kernel_name("calib.fp32_to_int8");
  size_t input_;
  float inverse_scale_;
  decltype(InnerLoops::quantise) quantise_;
};

}  // namespace

bool accepts_calib(const graph::Node& node, const graph::Graph&) {
  return usable_loops() != nullptr && node.alias == "fp32_to_int8" && node.tail == nullptr && generic::single_scale(node, "scale") > 0;
}

std::unique_ptr<Kernel> create_calib(const graph::Node& node, const graph::Graph&) { return std::make_unique<Calib>(node); }

}  // namespace edgeocr::kernels::int8
