// reshape2, squeeze2, unsqueeze2, flatten…: the same elements in logical (NCHW) order under another shape. The shape
// itself comes with the plan.
#include <memory>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Reshape : public Kernel {
 public:
  explicit Reshape(const graph::Node& node) : input_(input_index(node, "X")) {}

  std::string_view name() const override { return "generic.reshape"; }

  // Between maps of different shapes the elements pass through a row-major copy.
  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int) const override {
    const TensorView& in = inputs[input_];
    const bool through_rows = in.is_map() && outputs[0].is_map() && !(in.shape == outputs[0].shape);
    return through_rows ? static_cast<size_t>(in.shape.count()) * size_of(in.dtype) : 0;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const size_t element = size_of(in.dtype);
    if (in.shape.count() != out.shape.count() || in.dtype != out.dtype) {
      fail("reshape: %s %s cannot become %s %s", name_of(in.dtype), in.shape.str().c_str(), name_of(out.dtype), out.shape.str().c_str());
    }
    if (in.shape == out.shape) {
      copy_strided(in.shape, element, in.data, strides_of(in), out.data, strides_of(out));
    } else if (!out.is_map()) {
      copy_strided(in.shape, element, in.data, strides_of(in), out.data, row_major_strides(in.shape));
    } else {
      const void* rows = in.data;
      if (in.is_map()) {
        copy_strided(in.shape, element, in.data, strides_of(in), context.scratch, row_major_strides(in.shape));
        rows = context.scratch;
      }
      copy_strided(out.shape, element, rows, row_major_strides(out.shape), out.data, strides_of(out));
    }
    clear_padding(out);
  }

 private:
  size_t input_;
};

}  // namespace

std::unique_ptr<Kernel> create_reshape(const graph::Node& node, const graph::Graph&) { return std::make_unique<Reshape>(node); }

}  // namespace edgeocr::kernels::generic
