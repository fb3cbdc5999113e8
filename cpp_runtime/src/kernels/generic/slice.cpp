// slice: [start, end) along some axes, negative numbers counted from the end, axes of one element dropped by decrease_axis.
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Slice : public Kernel {
 public:
  explicit Slice(const graph::Node& node)
      : input_(input_index(node, "Input")), axes_(node.attr_ints("axes")), starts_(node.attr_ints("starts")), ends_(node.attr_ints("ends")) {
    for (std::string_view tensor : {"StartsTensor", "StartsTensorList", "EndsTensor", "EndsTensorList"}) {
      if (node.input(tensor) != graph::kNoValue)
        fail("slice: %.*s is given, expected the attributes starts and ends", static_cast<int>(tensor.size()), tensor.data());
    }
    if (starts_.size() != axes_.size() || ends_.size() != axes_.size()) {
      fail("slice: axes, starts, ends have %zu, %zu, %zu values, expected equal counts", axes_.size(), starts_.size(), ends_.size());
    }
  }

  std::string_view name() const override { return "generic.slice"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int) const override {
    return outputs[0].is_map() ? static_cast<size_t>(outputs[0].shape.count()) * size_of(inputs[input_].dtype) : 0;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const size_t element = size_of(in.dtype);
    const Strides from = strides_of(in);
    Shape part = in.shape;
    int64_t first = 0;
    for (size_t i = 0; i < axes_.size(); i++) {
      const int axis = positive_axis("slice", axes_[i], in.shape.rank());
      const int64_t size = in.shape[axis];
      const auto inside = [size](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + size : v, 0, size); };
      const int64_t start = inside(starts_[i]);
      part[axis] = std::max<int64_t>(0, inside(ends_[i]) - start);
      first += start * from[static_cast<size_t>(axis)];
    }
    if (part.count() != out.shape.count() || in.dtype != out.dtype) {
      fail("slice: %s of %s, expected %s", part.str().c_str(), in.shape.str().c_str(), out.shape.str().c_str());
    }
    const std::byte* source = in.as<const std::byte>() + static_cast<size_t>(first) * element;
    // The dropped axes have one element, so row-major order is the output's.
    std::byte* rows = out.is_map() ? context.scratch : out.as<std::byte>();
    copy_strided(part, element, source, from, rows, row_major_strides(part));
    if (out.is_map()) copy_strided(out.shape, element, rows, row_major_strides(out.shape), out.data, strides_of(out));
    clear_padding(out);
  }

 private:
  size_t input_;
  std::vector<int64_t> axes_, starts_, ends_;
};

}  // namespace

std::unique_ptr<Kernel> create_slice(const graph::Node& node, const graph::Graph&) { return std::make_unique<Slice>(node); }

}  // namespace edgeocr::kernels::generic
