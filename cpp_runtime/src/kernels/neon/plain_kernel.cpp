#include "kernels/neon/plain_kernel.h"

#include <array>

#include "base/aligned.h"
#include "graph/precision.h"
#include "kernels/neon/convert.h"

namespace edgeocr::kernels::neon {

template <> std::unique_ptr<Kernel> plain_kernel<float>(const graph::Node& node, const graph::Graph& graph) {
  const std::span<const KernelEntry> plain[] = {generic_set()};
  return create_kernel(node, graph, plain);
}

namespace {

size_t wide_bytes(const TensorView& view) { return view.dtype == DataType::f16 ? align_up(dense_bytes(DataType::f32, view.shape)) : 0; }

// The tensor as fp32: itself, or one of its size in memory at `at`, which moves behind it.
TensorView wide_view(const TensorView& view, std::byte*& at) {
  if (view.dtype != DataType::f16) return view;
  const TensorView wide = dense_view(DataType::f32, view.shape, at);
  at += wide_bytes(view);
  return wide;
}

class Widened : public Kernel {
 public:
  Widened(graph::Node node, const graph::Graph& graph) {
    node.precision = graph::kFp32Precision;
    node.tail = nullptr;
    plain_ = plain_kernel<float>(node, graph);
  }

  std::string_view name() const override { return plain_->name(); }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    size_t bytes = plain_->scratch_bytes(inputs, outputs, threads);
    for (const TensorView& view : inputs) bytes += wide_bytes(view);
    for (const TensorView& view : outputs) bytes += wide_bytes(view);
    return bytes;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    std::array<TensorView, kMostTensors> wide;
    std::byte* at = context.scratch;
    for (size_t i = 0; i < inputs.size(); i++) {
      wide[i] = wide_view(inputs[i], at);
      if (inputs[i].dtype == DataType::f16) convert(context, inputs[i], wide[i]);
    }
    const std::span<TensorView> all = wide, wide_outputs = all.subspan(inputs.size(), outputs.size());
    for (size_t o = 0; o < outputs.size(); o++) wide_outputs[o] = wide_view(outputs[o], at);
    plain_->run({context.pool, at}, all.first(inputs.size()), wide_outputs);
    for (size_t o = 0; o < outputs.size(); o++)
      if (outputs[o].dtype == DataType::f16) convert(context, wide_outputs[o], outputs[o]);
  }

 private:
  static constexpr size_t kMostTensors = 4;

  std::unique_ptr<Kernel> plain_;
};

}  // namespace

template <> std::unique_ptr<Kernel> plain_kernel<Half>(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Widened>(node, graph);
}

}  // namespace edgeocr::kernels::neon
