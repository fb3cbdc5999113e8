// concat along any axis.
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Concat : public Kernel {
 public:
  explicit Concat(const graph::Node& node) : axis_(node.attr_int("axis", 0)) {
    if (node.input("AxisTensor") != graph::kNoValue) fail("%s: AxisTensor is given, expected the attribute axis", node.label().c_str());
    for (size_t i = 0; i < node.all_inputs("X").size(); i++) inputs_.push_back(input_index(node, "X", static_cast<int>(i)));
  }

  std::string_view name() const override { return "generic.concat"; }

  void run(const RunContext&, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& out = outputs[0];
    const auto axis = static_cast<size_t>(positive_axis("concat", axis_, out.shape.rank()));
    const Strides to = strides_of(out);
    auto* target = out.as<std::byte>();
    for (size_t i : inputs_) {
      const TensorView& in = inputs[i];
      if (in.dtype != out.dtype || in.shape.rank() != out.shape.rank()) {
        fail("concat: %s %s into %s %s", name_of(in.dtype), in.shape.str().c_str(), name_of(out.dtype), out.shape.str().c_str());
      }
      copy_strided(in.shape, size_of(in.dtype), in.data, strides_of(in), target, to);
      target += static_cast<size_t>(in.shape[static_cast<int>(axis)] * to[axis]) * size_of(in.dtype);
    }
    clear_padding(out);
  }

 private:
  int64_t axis_;
  std::vector<size_t> inputs_;
};

}  // namespace

std::unique_ptr<Kernel> create_concat(const graph::Node& node, const graph::Graph&) { return std::make_unique<Concat>(node); }

}  // namespace edgeocr::kernels::generic
