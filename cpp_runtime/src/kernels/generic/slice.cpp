// slice: [start, end) along some axes, negative numbers counted from the end, axes of one element dropped by decrease_axis.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

// One number per axis: a tensor for each (StartsTensorList), one for all (StartsTensor), or the attribute. Tensors hold what
// follows from the shape of the net's input: they are known when the plan is made.
class Bounds {
 public:
  Bounds(const graph::Node& node, size_t axes, std::string_view attribute, const std::string& tensor) {
    for (size_t i = 0; i < node.all_inputs(tensor + "List").size(); i++)
      list_.push_back(input_index(node, tensor + "List", static_cast<int>(i)));
    if (list_.empty() && node.input(tensor) != graph::kNoValue) tensor_ = input_index(node, tensor);
    if (list_.empty() && !tensor_) values_ = node.attr_ints(attribute);
    const size_t count = list_.empty() && !tensor_ ? values_.size() : list_.empty() ? axes : list_.size();
    if (count != axes) {
      fail("%s: %.*s has %zu values, expected %zu", node.label().c_str(), static_cast<int>(attribute.size()), attribute.data(), count,
           axes);
    }
  }

  int64_t at(size_t axis, std::span<const TensorView> inputs) const {
    if (!list_.empty()) return element(inputs[list_[axis]], 0);
    return tensor_ ? element(inputs[*tensor_], axis) : values_[axis];
  }

 private:
  static int64_t element(const TensorView& view, size_t at) {
    return view.dtype == DataType::i64 ? view.as<const int64_t>()[at] : view.as<const int32_t>()[at];
  }

  std::vector<size_t> list_;
  std::optional<size_t> tensor_;
  std::vector<int64_t> values_;
};

class Slice : public Kernel {
 public:
  explicit Slice(const graph::Node& node)
      : input_(input_index(node, "Input")), axes_(node.attr_ints("axes")), starts_(node, axes_.size(), "starts", "StartsTensor"),
        ends_(node, axes_.size(), "ends", "EndsTensor") {}

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
      const int64_t start = inside(starts_.at(i, inputs));
      part[axis] = std::max<int64_t>(0, inside(ends_.at(i, inputs)) - start);
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
  std::vector<int64_t> axes_;
  Bounds starts_, ends_;
};

}  // namespace

std::unique_ptr<Kernel> create_slice(const graph::Node& node, const graph::Graph&) { return std::make_unique<Slice>(node); }

}  // namespace edgeocr::kernels::generic
