// split along an axis: sections of the attribute (one may be -1), or equal parts.
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Split : public Kernel {
 public:
  explicit Split(const graph::Node& node)
      : input_(input_index(node, "X")), axis_(node.attr_int("axis", 0)), sections_(node.attr_ints("sections")),
        parts_(node.outputs.size()) {
    if (!node.all_inputs("SectionsTensorList").empty()) {
      fail("%s: SectionsTensorList is given, expected the attribute sections", node.label().c_str());
    }
    if (!sections_.empty() && sections_.size() != parts_) {
      fail("%s: sections has %zu values, expected %zu", node.label().c_str(), sections_.size(), parts_);
    }
    for (const graph::Port& port : node.outputs) section_of_.push_back(static_cast<size_t>(port.index));
  }

  std::string_view name() const override { return "generic.split"; }

  void run(const RunContext&, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& in = inputs[input_];
    const int axis = positive_axis("split", axis_, in.shape.rank());
    const Strides from = strides_of(in);
    for (size_t i = 0; i < outputs.size(); i++) {
      const TensorView& out = outputs[i];
      if (out.data == nullptr) continue;
      const int64_t first = first_of(section_of_[i], in.shape[axis]);
      const std::byte* source = in.as<const std::byte>() + static_cast<size_t>(first * from[static_cast<size_t>(axis)]) * size_of(in.dtype);
      copy_strided(out.shape, size_of(in.dtype), source, from, out.data, strides_of(out));
      clear_padding(out);
    }
  }

 private:
  // Index along the axis at which a section begins.
  int64_t first_of(size_t section, int64_t size) const {
    if (sections_.empty()) return size / static_cast<int64_t>(parts_) * static_cast<int64_t>(section);
    int64_t before = 0, after = 0;
    bool open = false;  // the section of unknown length is before this one
    for (size_t i = 0; i < parts_; i++) {
      if (i < section && sections_[i] < 0) open = true;
      (i < section ? before : after) += std::max<int64_t>(sections_[i], 0);
    }
    return open ? size - after : before;
  }

  size_t input_;
  int64_t axis_;
  std::vector<int64_t> sections_;
  size_t parts_;
  std::vector<size_t> section_of_;  // per output
};

}  // namespace

std::unique_ptr<Kernel> create_split(const graph::Node& node, const graph::Graph&) { return std::make_unique<Split>(node); }

}  // namespace edgeocr::kernels::generic
