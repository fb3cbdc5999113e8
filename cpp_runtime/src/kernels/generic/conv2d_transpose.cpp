// conv2d_transpose and depthwise_conv2d_transpose. Filter [I, O / groups, kh, kw].
#include <memory>

#include "base/error.h"
#include "kernels/generic/conv_gemm.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

constexpr int64_t kMostStride = 64;  // weights are packed for stride_h * stride_w phases

// Output y receives input i by tap k where y + pad = i * stride + k * dilation.
struct AxisTap {
  int64_t k, offset;  // i = (y - first) / stride + offset for the outputs y = first, first + stride, …
};
std::vector<AxisTap> taps_of_phase(int64_t first, int64_t pad, int64_t kernel, int64_t stride, int64_t dilation) {
  std::vector<AxisTap> taps;
  for (int64_t k = 0; k < kernel; k++) {
    const int64_t distance = first + pad - k * dilation;
    if (distance % stride == 0) taps.push_back({k, distance / stride});
  }
  return taps;
}

std::vector<GemmConvolution::Phase> phases_of(const ConvParameters& parameters) {
  const ConvGeometry& g = parameters.geometry;
  std::vector<GemmConvolution::Phase> phases;
  for (int64_t y = 0; y < g.stride_h; y++)
    for (int64_t x = 0; x < g.stride_w; x++) {
      GemmConvolution::Phase phase{y, x, {}};
      for (const AxisTap& row : taps_of_phase(y, g.pad_top, g.kernel_h, g.stride_h, g.dilation_h))
        for (const AxisTap& column : taps_of_phase(x, g.pad_left, g.kernel_w, g.stride_w, g.dilation_w))
          phase.taps.push_back({row.k, column.k, row.offset, column.offset});
      phases.push_back(std::move(phase));
    }
  return phases;
}

class Conv2dTranspose : public Kernel {
 public:
  Conv2dTranspose(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : parameters_(parameters), input_(input_index(node, "Input")),
        convolution_(parameters, {.out_h = parameters.geometry.stride_h, .out_w = parameters.geometry.stride_w}, phases_of(parameters),
                     conv_epilogue(node, graph, parameters), weight_of(parameters, constant_input(node, graph, "Filter"))) {}

  std::string_view name() const override { return parameters_.int8_in ? "generic.conv2d_transpose.int8" : "generic.conv2d_transpose.fp32"; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView>, int threads) const override {
    return convolution_.scratch_bytes(threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    check_views("conv2d_transpose", parameters_, inputs[input_], outputs[0]);
    convolution_.run(context, inputs[input_], outputs[0], 0, 0);
  }

 private:
  static ConvWeight weight_of(const ConvParameters& parameters, const graph::Constant& filter) {
    return [&parameters, &filter](int64_t group, int64_t out, int64_t in, int64_t ky, int64_t kx) {
      const ConvGeometry& g = parameters.geometry;
      const int64_t index = (((group * parameters.group_in() + in) * parameters.group_out() + out) * g.kernel_h + ky) * g.kernel_w + kx;
      const auto at = static_cast<size_t>(index);
      return parameters.int8_in ? static_cast<float>(filter.as<int8_t>()[at]) : filter.as<float>()[at];
    };
  }

  ConvParameters parameters_;
  size_t input_;
  GemmConvolution convolution_;
};

}  // namespace

std::unique_ptr<Kernel> create_conv2d_transpose(const graph::Node& node, const graph::Graph& graph) {
  const ConvParameters parameters = conv_parameters(node, graph, true);
  if (parameters.same_padding) fail("%s: padding_algorithm is SAME, expected EXPLICIT or VALID", node.label().c_str());
  const ConvGeometry& g = parameters.geometry;
  if (g.stride_h > kMostStride || g.stride_w > kMostStride) {
    fail("%s: strides are %lld and %lld, expected at most %lld", node.label().c_str(), static_cast<long long>(g.stride_h),
         static_cast<long long>(g.stride_w), static_cast<long long>(kMostStride));
  }
  return std::make_unique<Conv2dTranspose>(node, graph, parameters);
}

}  // namespace edgeocr::kernels::generic
