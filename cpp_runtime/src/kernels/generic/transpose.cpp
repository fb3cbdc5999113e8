// transpose2: dimension i of the output is dimension axis[i] of the input; maps and row-major tensors by their strides.
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Transpose : public Kernel {
 public:
  explicit Transpose(const graph::Node& node) : input_(input_index(node, "X")), axes_(node.attr_ints("axis")) {
    for (int64_t& axis : axes_) axis = positive_axis("transpose2", axis, static_cast<int>(axes_.size()));
  }

  std::string_view name() const override { return "generic.transpose"; }

  void run(const RunContext&, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    if (in.shape.rank() != static_cast<int>(axes_.size())) {
      fail("transpose2: input is %s, but axis has %zu values", in.shape.str().c_str(), axes_.size());
    }
    const Strides from = strides_of(in);
    Strides permuted{};
    for (size_t i = 0; i < axes_.size(); i++) permuted[i] = from[static_cast<size_t>(axes_[i])];
    copy_strided(out.shape, size_of(in.dtype), in.data, permuted, out.data, strides_of(out));
    clear_padding(out);
  }

 private:
  size_t input_;
  std::vector<int64_t> axes_;
};

}  // namespace

std::unique_ptr<Kernel> create_transpose(const graph::Node& node, const graph::Graph&) { return std::make_unique<Transpose>(node); }

}  // namespace edgeocr::kernels::generic
