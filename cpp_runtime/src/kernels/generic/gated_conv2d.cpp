#include "kernels/generic/gated_conv2d.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class GatedConv2d : public Kernel {
 public:
  GatedConv2d(const graph::Node& node, std::unique_ptr<Kernel> kernel)
      : loops_(current_loops()), kernel_(std::move(kernel)), input_(input_index(node, "Input")), gate_(input_index(node, "Gate")),
        name_(std::string(kernel_->name()) + ".gated") {
    if (node.inputs.size() > kMostInputs) fail("conv2d: %zu inputs, expected at most %zu", node.inputs.size(), kMostInputs);
  }

  std::string_view name() const override { return name_; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    std::array<TensorView, kMostInputs> views{};
    return map_bytes(inputs[input_]) + kernel_->scratch_bytes(with_map(inputs, nullptr, views), outputs, threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    std::array<TensorView, kMostInputs> views{};
    const std::span<const TensorView> gated = with_map(inputs, context.scratch, views);
    multiply(context, inputs[input_], inputs[gate_], gated[input_]);
    kernel_->run({context.pool, context.scratch + map_bytes(inputs[input_])}, gated, outputs);
  }

 private:
  static constexpr size_t kMostInputs = 8;

  static size_t map_bytes(const TensorView& map) { return align_up(dense_bytes(DataType::f32, map.shape)); }

  // The inputs with the multiplied map, at `data`, in the map's place.
  std::span<const TensorView> with_map(std::span<const TensorView> inputs, std::byte* data, std::array<TensorView, kMostInputs>& to) const {
    std::ranges::copy(inputs, to.begin());
    to[input_] = dense_view(DataType::f32, inputs[input_].shape, data);
    return std::span(to).first(inputs.size());
  }

  void multiply(const RunContext& context, const TensorView& map, const TensorView& gate, const TensorView& out) const {
    expect_dtype("conv2d", "input", map, DataType::f32);
    expect_dtype("conv2d", "gate", gate, DataType::f32);
    const int64_t pixels = map.shape[2] * map.shape[3];
    parallel(context, map_pixels(map), 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t p = begin; p < end; p++)
        loops_.binary(BinaryOp::mul, {}, map.as<const float>() + p * map.pixel_stride, 1,
                      gate.as<const float>() + p / pixels * gate.batch_stride, 1, map.shape[1], out.as<float>() + p * out.pixel_stride);
    });
    clear_padding(out);
  }

  const Loops& loops_;
  std::unique_ptr<Kernel> kernel_;
  size_t input_, gate_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Kernel> create_gated_conv2d(const graph::Node& node, const graph::Graph& graph, Factory* create) {
  graph::Node plain = node;  // inputs keep their positions
  plain.inputs[static_cast<size_t>(plain.input_position("Gate"))].parameter = "";
  return std::make_unique<GatedConv2d>(node, create(plain, graph));
}

}  // namespace edgeocr::kernels::generic
