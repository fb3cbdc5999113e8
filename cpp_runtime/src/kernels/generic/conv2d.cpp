// conv2d and depthwise_conv2d: fp32, int8 to int8 ("int8_out") and int8 to fp32 ("fp32_out").
#include <memory>

#include "kernels/generic/conv_gemm.h"
#include "kernels/generic/depthwise.h"
#include "kernels/generic/gated_conv2d.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

bool is_depthwise(const ConvGeometry& g) { return g.groups > 1 && g.groups == g.in_channels && g.groups == g.out_channels; }

class GemmConv2d : public Kernel {
 public:
  GemmConv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : parameters_(parameters), input_(input_index(node, "Input")),
        convolution_(parameters, steps(parameters.geometry), {phase(parameters)}, conv_epilogue(node, graph, parameters),
                     weight_of(parameters, constant_input(node, graph, "Filter"))) {}

  std::string_view name() const override { return parameters_.int8_in ? "generic.conv2d.int8" : "generic.conv2d.fp32"; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView>, int threads) const override {
    return convolution_.scratch_bytes(threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& in = inputs[input_];
    check_views("conv2d", parameters_, in, outputs[0]);
    convolution_.run(context, in, outputs[0], -parameters_.pad_top(in.shape[2]), -parameters_.pad_left(in.shape[3]));
  }

 private:
  static GemmConvolution::Steps steps(const ConvGeometry& g) { return {.in_h = g.stride_h, .in_w = g.stride_w}; }

  static GemmConvolution::Phase phase(const ConvParameters& parameters) {
    const ConvGeometry& g = parameters.geometry;
    GemmConvolution::Phase phase;
    for (int64_t ky = 0; ky < g.kernel_h; ky++)
      for (int64_t kx = 0; kx < g.kernel_w; kx++) phase.taps.push_back({ky, kx, ky * g.dilation_h, kx * g.dilation_w});
    return phase;
  }

  // Filter [O, I / groups, kh, kw]
  static ConvWeight weight_of(const ConvParameters& parameters, const graph::Constant& filter) {
    return [&parameters, &filter](int64_t group, int64_t out, int64_t in, int64_t ky, int64_t kx) {
      const ConvGeometry& g = parameters.geometry;
      const int64_t index = (((group * parameters.group_out() + out) * parameters.group_in() + in) * g.kernel_h + ky) * g.kernel_w + kx;
      const auto at = static_cast<size_t>(index);
      return parameters.int8_in ? static_cast<float>(filter.as<int8_t>()[at]) : filter.as<float>()[at];
    };
  }

  ConvParameters parameters_;
  size_t input_;
  GemmConvolution convolution_;
};

class DepthwiseConv2d : public Kernel {
 public:
  DepthwiseConv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : parameters_(parameters), input_(input_index(node, "Input")),
        convolution_(parameters, constant_input(node, graph, "Filter"), conv_epilogue(node, graph, parameters)) {}

  std::string_view name() const override { return parameters_.int8_in ? "generic.depthwise_conv2d.int8" : "generic.depthwise_conv2d.fp32"; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView> outputs, int threads) const override {
    return convolution_.scratch_bytes(outputs[0], threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    check_views("depthwise_conv2d", parameters_, inputs[input_], outputs[0]);
    convolution_.run(context, inputs[input_], outputs[0]);
  }

 private:
  ConvParameters parameters_;
  size_t input_;
  DepthwiseConvolution convolution_;
};

}  // namespace

std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph) {
  if (is_gated(node)) return create_gated_conv2d(node, graph, create_conv2d);
  const ConvParameters parameters = conv_parameters(node, graph, false);
  if (is_depthwise(parameters.geometry)) return std::make_unique<DepthwiseConv2d>(node, graph, parameters);
  return std::make_unique<GemmConv2d>(node, graph, parameters);
}

}  // namespace edgeocr::kernels::generic
