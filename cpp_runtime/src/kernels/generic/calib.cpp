// calib: fp32 ↔ int8 by one scale; between integer types and fp32; fp32 ↔ fp16 is a copy, since these kernels compute what a
// file marks as fp16 in fp32.
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
      : loops_(current_loops()), input_(input_index(node, "Input")), to_int8_(to_int8), scale_(single_scale(node, "scale")) {
    if (!(scale_ > 0)) fail("calib: scale is %g, expected more than 0", static_cast<double>(scale_));
  }

  std::string_view name() const override { return to_int8_ ? "generic.calib.fp32_to_int8" : "generic.calib.int8_to_fp32"; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype("calib", "input", in, to_int8_ ? DataType::f32 : DataType::i8);
    expect_dtype("calib", "output", out, to_int8_ ? DataType::i8 : DataType::f32);
    for_each_run(context, in, out, [&](int64_t from, int64_t to, int64_t n) {
      if (to_int8_) {
        loops_.quantise(in.as<const float>() + from, 1.0f / scale_, n, out.as<int8_t>() + to);
      } else {
        loops_.dequantise(in.as<const int8_t>() + from, scale_, n, out.as<float>() + to);
      }
    });
    if (in.is_map() && in.pixel_stride != out.pixel_stride) clear_padding(out);
  }

 private:
  const Loops& loops_;
  size_t input_;
  bool to_int8_;
  float scale_;
};

template <class From> void convert_from(const TensorView& in, const TensorView& out, int64_t n) {
  const auto to = [&]<class To>(To* target) {
    for (int64_t i = 0; i < n; i++) target[i] = static_cast<To>(in.as<const From>()[i]);
  };
  switch (out.dtype) {
    case DataType::f32: return to(out.as<float>());
    case DataType::i32: return to(out.as<int32_t>());
    case DataType::i64: return to(out.as<int64_t>());
    default: fail("calib: output is %s, expected fp32, int32 or int64", name_of(out.dtype));
  }
}

class Convert : public Kernel {
 public:
  explicit Convert(const graph::Node& node) : input_(input_index(node, "Input")) {}

  std::string_view name() const override { return "generic.calib.convert"; }

  void run(const RunContext&, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    if (in.is_map()) {
      expect_dtype("calib", "input", in, DataType::f32);
      expect_dtype("calib", "output", out, DataType::f32);
      copy_strided(in.shape, sizeof(float), in.data, strides_of(in), out.data, strides_of(out));
      return clear_padding(out);
    }
    switch (in.dtype) {
      case DataType::f32: return convert_from<float>(in, out, in.shape.count());
      case DataType::i32: return convert_from<int32_t>(in, out, in.shape.count());
      case DataType::i64: return convert_from<int64_t>(in, out, in.shape.count());
      default: fail("calib: input is %s, expected fp32, int32 or int64", name_of(in.dtype));
    }
  }

 private:
  size_t input_;
};

}  // namespace

std::unique_ptr<Kernel> create_calib(const graph::Node& node, const graph::Graph&) {
  if (node.alias == "fp32_to_int8" || node.alias == "int8_to_fp32") return std::make_unique<Quantise>(node, node.alias == "fp32_to_int8");
  return std::make_unique<Convert>(node);
}

}  // namespace edgeocr::kernels::generic
