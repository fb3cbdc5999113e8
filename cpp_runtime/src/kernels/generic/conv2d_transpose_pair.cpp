#include "kernels/generic/conv2d_transpose_pair.h"

#include <array>
#include <utility>

#include "base/aligned.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::generic {

graph::Node part_of_pair(const graph::Node& pair, int index) {
  graph::Node part = pair;
  part.op = "conv2d_transpose";
  part.inputs = {{"Input", 0, pair.input("Input")}, {"Filter", 0, pair.input("Filter", index)}};
  if (const graph::ValueId bias = pair.input("Bias", index); bias != graph::kNoValue) part.inputs.push_back({"Bias", 0, bias});
  part.attrs["strides"] = std::vector<int32_t>{2, 2};
  part.attrs["paddings"] = std::vector<int32_t>{0, 0};
  part.attrs["dilations"] = std::vector<int32_t>{1, 1};
  if (index == 1) return part;
  part.tail = nullptr;
  part.outputs.resize(1);
  part.attrs["with_act"] = false;
  part.attrs["fuse_relu"] = true;
  return part;
}

bool ends_plainly(const graph::Node& pair, const graph::Graph& graph) {
  const TailParameters tail = parse_tail(pair, graph);
  return (!tail.activation || tail.activation->op == UnaryOp::sigmoid) && tail.addend.empty() && tail.residual < 0 &&
         tail.outputs.size() == 1 && tail.outputs[0].dtype == DataType::f32 && conv_activation(pair).kind == ActKind::none;
}

namespace {

class InSequence : public Kernel {
 public:
  InSequence(std::string name, const graph::Node& pair, const graph::Graph& graph, std::span<const std::span<const KernelEntry>> sets)
      : name_(std::move(name)), input_(input_index(pair, "Input")), hidden_channels_(constant_input(pair, graph, "Filter").shape[1]) {
    for (int i = 0; i < 2; i++) parts_[static_cast<size_t>(i)] = create_kernel(part_of_pair(pair, i), graph, sets);
  }

  std::string_view name() const override { return name_; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    const TensorView hidden = hidden_view(inputs[input_], nullptr);
    const size_t first = parts_[0]->scratch_bytes({&inputs[input_], 1}, {&hidden, 1}, threads);
    return hidden_bytes(hidden) + std::max(first, parts_[1]->scratch_bytes({&hidden, 1}, outputs, threads));
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView hidden = hidden_view(inputs[input_], context.scratch);
    const RunContext rest{context.pool, context.scratch + hidden_bytes(hidden)};
    parts_[0]->run(rest, {&inputs[input_], 1}, {&hidden, 1});
    parts_[1]->run(rest, {&hidden, 1}, outputs);
  }

 private:
  TensorView hidden_view(const TensorView& in, std::byte* memory) const {
    return dense_view(DataType::f32, {in.shape[0], hidden_channels_, 2 * in.shape[2], 2 * in.shape[3]}, memory);
  }
  static size_t hidden_bytes(const TensorView& hidden) { return align_up(dense_bytes(hidden.dtype, hidden.shape)); }

  std::string name_;
  size_t input_;
  int64_t hidden_channels_;
  std::array<std::unique_ptr<Kernel>, 2> parts_;
};

}  // namespace

std::unique_ptr<Kernel> create_in_sequence(std::string name, const graph::Node& pair, const graph::Graph& graph,
                                           std::span<const std::span<const KernelEntry>> sets) {
  return std::make_unique<InSequence>(std::move(name), pair, graph, sets);
}

std::unique_ptr<Kernel> create_conv2d_transpose_pair(const graph::Node& node, const graph::Graph& graph) {
  const std::span<const KernelEntry> sets[] = {generic_set()};
  return create_in_sequence("generic.conv2d_transpose_pair.fp32", node, graph, sets);
}

}  // namespace edgeocr::kernels::generic
