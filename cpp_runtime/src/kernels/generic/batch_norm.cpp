// batch_norm at inference: (x - mean) / sqrt(variance + epsilon) * scale + bias, folded to one multiply and one add per channel.
#include <cmath>
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class BatchNorm : public Kernel {
 public:
  BatchNorm(const graph::Node& node, const graph::Graph& graph)
      : loops_(current_loops()), input_(input_index(node, "X")), output_(output_index(node, "Y")) {
    scale_ = constant_floats(node, graph, "Scale");
    bias_ = constant_floats(node, graph, "Bias");
    const std::vector<float> mean = constant_floats(node, graph, "Mean"), variance = constant_floats(node, graph, "Variance");
    const size_t n = scale_.size();
    if (bias_.size() != n || mean.size() != n || variance.size() != n) {
      fail("%s: Scale, Bias, Mean, Variance have %zu, %zu, %zu, %zu values, expected equal counts", node.label().c_str(), n, bias_.size(),
           mean.size(), variance.size());
    }
    const float epsilon = node.attr_float("epsilon", 1e-5f);
    for (size_t c = 0; c < n; c++) {
      scale_[c] = scale_[c] / std::sqrt(variance[c] + epsilon);
      bias_[c] = bias_[c] - mean[c] * scale_[c];
    }
  }

  std::string_view name() const override { return "generic.batch_norm"; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[output_];
    expect_dtype("batch_norm", "input", in, DataType::f32);
    const auto channels = static_cast<int64_t>(scale_.size());
    if (in.shape.rank() < 2 || in.shape[1] != channels) {
      fail("batch_norm: input is %s, expected %lld channels", in.shape.str().c_str(), static_cast<long long>(channels));
    }
    if (!in.is_map()) return run_rows(context, in, out);
    parallel(context, map_pixels(in), 64, [&](int64_t begin, int64_t end, int) {
      for (int64_t p = begin; p < end; p++)
        loops_.affine_channels(in.as<const float>() + p * in.pixel_stride, scale_.data(), bias_.data(), channels,
                               out.as<float>() + p * out.pixel_stride);
    });
    clear_padding(out);
  }

 private:
  // [N, C, …] row-major
  void run_rows(const RunContext& context, const TensorView& in, const TensorView& out) const {
    const auto channels = static_cast<int64_t>(scale_.size());
    const int64_t inner = in.shape.count() / std::max<int64_t>(1, in.shape[0] * channels);
    parallel(context, in.shape[0] * channels, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const auto c = static_cast<size_t>(row % channels);
        loops_.affine(in.as<const float>() + row * inner, 0.0f, scale_[c], bias_[c], {}, inner, out.as<float>() + row * inner);
      }
    });
  }

  const Loops& loops_;
  size_t input_, output_;
  std::vector<float> scale_, bias_;
};

}  // namespace

std::unique_ptr<Kernel> create_batch_norm(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<BatchNorm>(node, graph);
}

}  // namespace edgeocr::kernels::generic
