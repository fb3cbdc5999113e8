// conv2d_transpose, 2x2 with steps of two: no two taps meet, so an output row is one matrix product of an input row, its columns
// [dx][output channel] being two neighbouring output pixels. One output channel: all four taps are the columns.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "kernels/floating/float_node.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/kernel.h"

namespace edgeocr::kernels::floating {

using generic::ConvParameters;

template <class Set> class Transpose : public Kernel {
 public:
  using T = typename Set::Value;
  using Gemm = typename Set::Gemm;

  Transpose(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : name_(kernel_name<Set>("conv2d_transpose", ".2x2")), input_(generic::input_index(node, "Input")),
        lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        finish_(Set::finish_of(node, graph, parameters.geometry.out_channels, generic::conv_activation(node))),
        direct_(finish_.on_registers() && !finish_.form().residual) {
    const ConvGeometry& g = parameters.geometry;
    const auto filter = generic::constant_input(node, graph, "Filter").as<float>();  // [I, O, 2, 2]
    for (int64_t dy = 0; dy < 2; dy++) {
      const auto weight = [&](int64_t, int64_t c, int64_t column) {
        const int64_t dx = column / finish_.lanes(), o = column % finish_.lanes();
        return c < g.in_channels && o < g.out_channels ? filter[static_cast<size_t>(((c * g.out_channels + o) * 2 + dy) * 2 + dx)] : 0.0f;
      };
      gemms_.emplace_back(1, lanes_, 2 * finish_.lanes(), direct_ ? finish_.form() : finish_.bias_alone(), weight);
    }
    for (int dx = 0; dx < 2; dx++) bias_.insert(bias_.end(), finish_.constants().bias, finish_.constants().bias + finish_.lanes());
  }

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return 2; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * sums_bytes(outputs[0].shape[3]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3];
    typename Set::Constants constants = finish_.constants();
    constants.bias = bias_.data();
    generic::parallel_rows(context, out.shape[0], height, 2, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * sums_bytes(width);
      for (int64_t line = 2 * begin; line < 2 * end; line++) {
        const int64_t batch = line / height, y = line % height;
        typename Set::Row row;
        row.segments[0] = in.as<const T>() + batch * in.batch_stride + y / 2 * in.row_stride;
        row.pixel_step = in.pixel_stride;
        row.pixels = in.shape[3];
        row.out = direct_ ? out.as<T>() + line * out.row_stride : reinterpret_cast<T*>(memory);
        row.out_step = 2 * finish_.lanes();
        gemms_[static_cast<size_t>(y % 2)].run(row, constants);
        if (!direct_) finish_.run_sums(memory, width, line * width, width, inputs, outputs);
      }
    });
  }

 private:
  size_t sums_bytes(int64_t width) const { return direct_ ? 0 : finish_.scratch_bytes(width); }

  std::string name_;
  size_t input_;
  int64_t lanes_;  // of an input pixel
  typename Set::Finish finish_;
  bool direct_;              // nothing is left to do after the form
  std::vector<Gemm> gemms_;  // of even and odd rows
  std::vector<T> bias_;      // twice, side by side
};

// Taps: of the one output channel, side by side in a vector
//   kLanes                        of the vector
//   split_rows(taps, width, rows) [pixel][kLanes], of which the first are [dy][dx], to fp32 [dy][pixel][dx]
template <class Set, class Taps> class SingleTranspose : public Kernel {
 public:
  using T = typename Set::Value;
  using Gemm = typename Set::Gemm;

  SingleTranspose(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : name_(kernel_name<Set>("conv2d_transpose", ".2x2_single")), input_(generic::input_index(node, "Input")),
        finish_(Set::finish_of(node, graph, 1, generic::conv_activation(node))),
        gemm_(make_gemm(parameters.geometry, generic::constant_input(node, graph, "Filter"))),
        bias_(Taps::kLanes, finish_.constants().bias[0]) {}

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return 2; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs[input_]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = in.shape[2], width = in.shape[3];
    const typename Set::Constants constants{.bias = bias_.data()};
    generic::parallel_rows(context, out.shape[0], out.shape[2], 2, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * worker_bytes(in);
      auto* taps = reinterpret_cast<T*>(memory);
      auto* pixels = reinterpret_cast<float*>(memory + taps_bytes(in));
      float* other = pixels + rows_bytes(in) / sizeof(float);
      for (int64_t line = begin; line < end; line++) {
        typename Set::Row row;
        row.segments[0] = in.as<const T>() + line / height * in.batch_stride + line % height * in.row_stride;
        row.pixel_step = in.pixel_stride;
        row.pixels = width;
        row.out = taps;
        row.out_step = Taps::kLanes;
        gemm_.run(row, constants);
        Taps::split_rows(taps, width, pixels);
        // Two rows of outputs follow each other.
        finish_.run_single(pixels, other, 2 * line * out.shape[3], 4 * width, inputs, outputs);
      }
    });
  }

 private:
  static size_t taps_bytes(const TensorView& in) { return align_up(static_cast<size_t>(Taps::kLanes * in.shape[3]) * sizeof(T)); }
  static size_t rows_bytes(const TensorView& in) { return align_up(static_cast<size_t>(4 * in.shape[3]) * sizeof(float)); }
  static size_t worker_bytes(const TensorView& in) { return taps_bytes(in) + 2 * rows_bytes(in); }

  Gemm make_gemm(const ConvGeometry& g, const graph::Constant& filter) const {
    const auto values = filter.as<float>();  // [I, 1, 2, 2]
    const auto weight = [&](int64_t, int64_t c, int64_t tap) {
      return c < g.in_channels && tap < 4 ? values[static_cast<size_t>(c * 4 + tap)] : 0.0f;
    };
    return {1, pixel_stride_of(g.in_channels), Taps::kLanes, finish_.bias_alone(), weight};
  }

  std::string name_;
  size_t input_;
  typename Set::Finish finish_;
  Gemm gemm_;
  std::vector<T> bias_;  // for every tap
};

template <class Set> bool accepts_conv2d_transpose(const graph::Node& node, const graph::Graph& graph) {
  if (!computes_in<typename Set::Value>(node) || !has_filter(node, graph)) return false;
  // Outputs beyond the last tap would have none.
  if (!node.attr_ints("output_padding").empty() || !node.attr_ints("output_size").empty()) return false;
  const ConvParameters p = generic::conv_parameters(node, graph, true);
  const ConvGeometry& g = p.geometry;
  const bool window = g.kernel_h == 2 && g.kernel_w == 2 && g.stride_h == 2 && g.stride_w == 2 && g.dilation_h == 1 && g.dilation_w == 1;
  const bool pads = p.same_padding || g.pad_top != 0 || g.pad_bottom != 0 || g.pad_left != 0 || g.pad_right != 0;
  const bool vectors = g.in_channels > 1 && pixel_stride_of(g.in_channels) % Set::kGemmLanes == 0;
  return window && !pads && g.groups == 1 && vectors && (g.out_channels == 1 || g.out_channels > 4);
}

template <class Set, class Taps> std::unique_ptr<Kernel> create_conv2d_transpose(const graph::Node& node, const graph::Graph& graph) {
  const ConvParameters parameters = generic::conv_parameters(node, graph, true);
  if (parameters.geometry.out_channels == 1) return std::make_unique<SingleTranspose<Set, Taps>>(node, graph, parameters);
  return std::make_unique<Transpose<Set>>(node, graph, parameters);
}

}  // namespace edgeocr::kernels::floating
