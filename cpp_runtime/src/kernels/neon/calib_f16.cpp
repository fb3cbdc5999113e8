// calib between fp32 and fp16: rounding to nearest even, and back.
#include <memory>

#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/neon/convert.h"
#include "kernels/neon/float_kernels.h"

namespace edgeocr::kernels::neon {

namespace {

class CalibF16 : public Kernel {
 public:
  explicit CalibF16(const graph::Node& node) : input_(generic::input_index(node, "Input")), narrows_(graph::narrows(node)) {}

  std::string_view name() const override { return narrows_ ? "neon.calib.fp32_to_fp16" : "neon.calib.fp16_to_fp32"; }
  bool by_rows() const override { return true; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    generic::expect_dtype(name(), "input", in, narrows_ ? DataType::f32 : DataType::f16);
    generic::expect_dtype(name(), "output", out, narrows_ ? DataType::f16 : DataType::f32);
    convert(context, in, out);
  }

 private:
  size_t input_;
  bool narrows_;
};

}  // namespace

bool accepts_calib_f16(const graph::Node& node, const graph::Graph&) {
  return (graph::narrows(node) || graph::widens(node)) && node.tail == nullptr;
}

std::unique_ptr<Kernel> create_calib_f16(const graph::Node& node, const graph::Graph&) { return std::make_unique<CalibF16>(node); }

}  // namespace edgeocr::kernels::neon
