// fill_constant, fill_constant_batch_size_like (one value in every element; the shape comes with the plan) and shape.
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

template <class T> void fill(const TensorView& out, double value) {
  const int64_t n = out.is_map() ? map_pixels(out) * out.pixel_stride : out.shape.count();
  std::fill_n(out.as<T>(), n, static_cast<T>(value));
}

class FillConstant : public Kernel {
 public:
  explicit FillConstant(const graph::Node& node) {
    const std::string text = node.attr_string("str_value");  // exact for int64, so it goes first
    value_ = text.empty() ? static_cast<double>(node.attr_float("value", 0.0f)) : std::strtod(text.c_str(), nullptr);
  }

  std::string_view name() const override { return "generic.fill_constant"; }

  void run(const RunContext&, std::span<const TensorView>, std::span<const TensorView> outputs) const override {
    const TensorView& out = outputs[0];
    switch (out.dtype) {
      case DataType::f32: fill<float>(out, value_); break;
      case DataType::i32: fill<int32_t>(out, value_); break;
      case DataType::i64: fill<int64_t>(out, value_); break;
      default: fail("fill_constant: output is %s, expected fp32, int32 or int64", name_of(out.dtype));
    }
    clear_padding(out);
  }

 private:
  double value_;
};

class ShapeOf : public Kernel {
 public:
  explicit ShapeOf(const graph::Node& node) : input_(input_index(node, "Input")) {}

  std::string_view name() const override { return "generic.shape"; }

  void run(const RunContext&, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    expect_dtype("shape", "output", outputs[0], DataType::i32);
    for (int i = 0; i < inputs[input_].shape.rank(); i++) outputs[0].as<int32_t>()[i] = static_cast<int32_t>(inputs[input_].shape[i]);
  }

 private:
  size_t input_;
};

}  // namespace

std::unique_ptr<Kernel> create_fill_constant(const graph::Node& node, const graph::Graph&) { return std::make_unique<FillConstant>(node); }

std::unique_ptr<Kernel> create_shape(const graph::Node& node, const graph::Graph&) { return std::make_unique<ShapeOf>(node); }

}  // namespace edgeocr::kernels::generic
