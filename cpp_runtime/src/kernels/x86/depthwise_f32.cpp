// depthwise_conv2d, fp32: 3x3 and 5x5, steps of one or two along a row, any step between rows.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "kernels/floating/float_node.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/set_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

using generic::ConvParameters;

class DepthwiseF32 : public Kernel {
 public:
  DepthwiseF32(const graph::Node& node, const graph::Graph& graph)
      : loops_(current_inner_loops()), parameters_(generic::conv_parameters(node, graph, false)),
        input_(generic::input_index(node, "Input")),
        finish_(SetF32::finish_of(node, graph, parameters_.geometry.out_channels, generic::conv_activation(node))) {
    const ConvGeometry& g = parameters_.geometry;
    many_ = loops_.depthwise_f32(g.kernel_w, g.stride_w, true);
    one_ = loops_.depthwise_f32(g.kernel_w, g.stride_w, false);
    pack(generic::constant_input(node, graph, "Filter"));
  }

  std::string_view name() const override { return "x86.depthwise_conv2d.fp32"; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker(inputs[input_], outputs[0]).bytes;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const ConvGeometry& g = parameters_.geometry;
    const floating::Window<float> window(in, g.kernel_h, columns_under(loops_.depthwise_many));
    const int64_t height = out.shape[2], width = out.shape[3], lanes = finish_.lanes();
    const bool direct = is_plain();
    const Worker space = worker(in, out);
    generic::parallel_rows(context, out.shape[0], height, 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * space.bytes;
      auto *patch = reinterpret_cast<float*>(memory), *sums = reinterpret_cast<float*>(memory + space.window);
      window.clear(patch);
      const int64_t tile = width < loops_.depthwise_many ? 1 : loops_.depthwise_many;
      for (int64_t line = begin; line < end; line++) {
        const int64_t batch = line / height, y = line % height;
        float* row = direct ? out.as<float>() + batch * out.batch_stride + y * out.row_stride : sums;
        for (int64_t m = 0; m < width; m += tile) {
          const int64_t x = std::min(m, width - tile);
          const floating::Window<float>::Rows rows =
              window.at(batch, y * g.stride_h - g.pad_top, x * g.stride_w - g.pad_left, columns_under(tile), patch);
          DepthwiseTileF32 arguments{
              .rows = {}, .pixel_step = lanes, .weights = weights_.data(), .lanes = lanes, .out = row + x * lanes, .out_step = lanes};
          std::copy_n(rows.begin(), g.kernel_h, arguments.rows);
          (tile == 1 ? one_ : many_)(arguments, direct ? finish_.form() : FormF32{}, finish_.constants());
        }
        if (!direct) finish_.run_sums(memory + space.window, width, line * width, width, inputs, outputs);
      }
    });
  }

 private:
  struct Worker {
    size_t window, bytes;
  };
  Worker worker(const TensorView& in, const TensorView& out) const {
    const floating::Window<float> window(in, parameters_.geometry.kernel_h, columns_under(loops_.depthwise_many));
    const size_t bytes = align_up(window.elements() * sizeof(float));
    return {bytes, bytes + (is_plain() ? 0 : finish_.scratch_bytes(out.shape[3]))};
  }

  // Stores go straight to the output; a residual is added afterwards.
  bool is_plain() const { return finish_.on_registers() && !finish_.form().residual; }
  int64_t columns_under(int64_t outputs) const { return (outputs - 1) * parameters_.geometry.stride_w + parameters_.geometry.kernel_w; }

  // Filter [C, 1, kernel, kernel] to [kernel * kernel][lanes]
  void pack(const graph::Constant& filter) {
    const ConvGeometry& g = parameters_.geometry;
    const auto values = filter.as<float>();
    const int64_t taps = g.kernel_h * g.kernel_w;
    weights_.assign(static_cast<size_t>(taps * finish_.lanes()), 0.0f);
    for (int64_t c = 0; c < g.in_channels; c++)
      for (int64_t t = 0; t < taps; t++) weights_[static_cast<size_t>(t * finish_.lanes() + c)] = values[static_cast<size_t>(c * taps + t)];
  }

  const InnerLoops& loops_;
  ConvParameters parameters_;
  size_t input_;
  FinishF32 finish_;
  DepthwiseFunctionF32 many_ = nullptr, one_ = nullptr;
  std::vector<float> weights_;
};

}  // namespace

std::unique_ptr<Kernel> create_depthwise_f32(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<DepthwiseF32>(node, graph);
}

}  // namespace edgeocr::kernels::x86
