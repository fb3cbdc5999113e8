// conv2d, one group: 1x1 over all pixels as one long row, with or without gates, kernels up to 5 x 5 row by row, wide 3x3 by Winograd where
// the net has no int8.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/aligned.h"
#include "kernels/floating/float_node.h"
#include "kernels/floating/winograd_filter.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/kernel.h"
#include "kernels/pure_fp32.h"

namespace edgeocr::kernels::floating {

using generic::ConvParameters;

template <class Set> class Pointwise : public Kernel {
 public:
  using T = typename Set::Value;

  Pointwise(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), gate_(node.input_position("Gate")),
        name_(kernel_name<Set>("conv2d", gate_ < 0 ? ".1x1" : ".1x1.gated")), lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        finish_(Set::finish_of(node, graph, parameters.geometry.out_channels, generic::conv_activation(node))),
        gemm_(make_gemm(parameters.geometry, generic::constant_input(node, graph, "Filter"))) {}

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return gate_ < 0; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView> outputs, int threads) const override {
    return gated_bytes() + static_cast<size_t>(threads) * worker_bytes(outputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& out = outputs[0];
    const int64_t width = out.shape[3], height = out.shape[2];
    if (gate_ < 0) {
      Pixels pixels{0, generic::map_pixels(out)};
      if (context.rows) pixels = {context.rows->begin * width, context.rows->end * width};
      return run_pixels(context, pixels, nullptr, inputs, outputs);
    }
    if constexpr (Set::kGates) {
      // Maps of the batch have gates of their own.
      auto* weights = reinterpret_cast<T*>(context.scratch);
      const TensorView& gates = inputs[static_cast<size_t>(gate_)];
      for (int64_t batch = 0; batch < out.shape[0]; batch++) {
        gemm_.gate(gates.as<const T>() + batch * gates.batch_stride, weights);
        run_pixels(context, {batch * height * width, (batch + 1) * height * width}, weights, inputs, outputs);
      }
    }
  }

 private:
  typename Set::Gemm make_gemm(const ConvGeometry& g, const graph::Constant& filter) const {
    const auto values = filter.as<float>();
    const auto weight = [&](int64_t, int64_t c, int64_t o) {
      return c < g.in_channels && o < g.out_channels ? values[static_cast<size_t>(o * g.in_channels + c)] : 0.0f;
    };
    return {1, lanes_, finish_.lanes(), finish_.form(), weight};
  }

  // A panel of pixels should stay in the L1 cache.
  int64_t panel_pixels() const {
    constexpr int64_t kBytes = 32 << 10, kStep = 24;
    return std::clamp<int64_t>(kBytes / static_cast<int64_t>(sizeof(T)) / lanes_ / kStep, 1, 16) * kStep;
  }
  int64_t most_pixels(const TensorView& out) const { return std::max(panel_pixels(), out.shape[3]); }
  size_t worker_bytes(const TensorView& out) const { return finish_.on_registers() ? 0 : finish_.scratch_bytes(most_pixels(out)); }
  size_t gated_bytes() const {
    if constexpr (Set::kGates) return gate_ < 0 ? 0 : align_up(gemm_.weight_count() * sizeof(T));
    return 0;
  }

  // Pixels begin … end - 1, counted over N, H and W.
  struct Pixels {
    int64_t begin, end;
  };

  void multiply(const typename Set::Row& row, const T* weights) const {
    if constexpr (Set::kGates)
      if (weights != nullptr) return gemm_.run_gated(row, finish_.constants(), weights);
    gemm_.run(row, finish_.constants());
  }

  // A panel at a time, or a row where a residual is upsampled, which is at even steps within one. weights: gated; null: the kernel's own.
  void run_pixels(const RunContext& context, Pixels pixels, const T* weights, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const bool by_rows = finish_.on_registers() && finish_.form().residual && finish_.residual_scale() != 1;
    const int64_t panel = by_rows ? out.shape[3] : panel_pixels();
    generic::parallel(context, pixels.end - pixels.begin, panel, [&](int64_t begin, int64_t end, int worker) {
      std::byte* sums = context.scratch + gated_bytes() + static_cast<size_t>(worker) * worker_bytes(out);
      begin += pixels.begin, end += pixels.begin;
      for (int64_t first = begin; first < end; first += panel) {
        typename Set::Row row;
        row.segments[0] = in.as<const T>() + first * lanes_;
        row.pixel_step = lanes_;
        row.pixels = std::min(panel, end - first);
        row.out = finish_.on_registers() ? out.as<T>() + first * finish_.lanes() : reinterpret_cast<T*>(sums);
        row.out_step = finish_.lanes();
        if (finish_.form().residual) finish_.set_residual(row, first, out.shape, inputs);
        multiply(row, weights);
        if (!finish_.on_registers()) finish_.run_sums(sums, most_pixels(out), first, row.pixels, inputs, outputs);
      }
    });
  }

  size_t input_;
  int gate_;  // position among the inputs, or -1
  std::string name_;
  int64_t lanes_;  // of an input pixel
  typename Set::Finish finish_;
  typename Set::Gemm gemm_;
};

template <class Set> class WindowConv2d : public Kernel {
 public:
  using T = typename Set::Value;

  WindowConv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : name_(kernel_name<Set>("conv2d", ".direct")), input_(generic::input_index(node, "Input")),
        finish_(Set::finish_of(node, graph, parameters.geometry.out_channels, generic::conv_activation(node))),
        rows_(parameters.geometry, generic::constant_input(node, graph, "Filter"), finish_.lanes(), finish_.form()) {}

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * (patch_bytes(inputs[input_], outputs[0]) + sums_bytes(outputs[0]));
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3];
    const size_t patch = patch_bytes(in, out), bytes = patch + sums_bytes(out);
    generic::parallel_rows(context, out.shape[0], height, 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * bytes;
      auto* window = reinterpret_cast<T*>(memory);
      rows_.clear(in, width, window);
      for (int64_t line = begin; line < end; line++) {
        const int64_t batch = line / height, y = line % height;
        typename Set::Row row;
        T* const out_row = out.as<T>() + batch * out.batch_stride + y * out.row_stride;
        row.out = finish_.on_registers() ? out_row : reinterpret_cast<T*>(memory + patch);
        row.out_step = finish_.lanes();
        if (finish_.form().residual) finish_.set_residual(row, line * width, out.shape, inputs);
        rows_.run(in, batch, y, width, row, finish_.constants(), window);
        if (!finish_.on_registers()) finish_.run_sums(memory + patch, width, line * width, width, inputs, outputs);
      }
    });
  }

 private:
  size_t patch_bytes(const TensorView& in, const TensorView& out) const {
    return align_up(rows_.scratch_elements(in, out.shape[3]) * sizeof(T));
  }
  size_t sums_bytes(const TensorView& out) const { return finish_.on_registers() ? 0 : finish_.scratch_bytes(out.shape[3]); }

  std::string name_;
  size_t input_;
  typename Set::Finish finish_;
  typename Set::ConvRows rows_;
};

// A row of tiles at a time.
template <class Set> class WinogradConv2d : public Kernel {
 public:
  using T = typename Set::Value;

  static constexpr int64_t kRows = Set::Winograd::kTile;

  WinogradConv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : name_(kernel_name<Set>("conv2d", ".winograd")), input_(generic::input_index(node, "Input")),
        finish_(Set::finish_of(node, graph, parameters.geometry.out_channels, generic::conv_activation(node))),
        direct_(finish_.on_registers() && !finish_.form().residual),
        winograd_(generic::constant_input(node, graph, "Filter"), finish_.lanes(), direct_ ? finish_.form() : finish_.bias_alone()) {}

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return kRows; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * (sums_bytes(outputs[0]) + transform_bytes(inputs[input_]));
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3], bands = (height + kRows - 1) / kRows;
    const size_t bytes = sums_bytes(out) + transform_bytes(in);
    generic::parallel_rows(context, out.shape[0], height, kRows, [&](int64_t begin, int64_t end, int worker) {
      std::byte* sums = context.scratch + static_cast<size_t>(worker) * bytes;
      auto* scratch = reinterpret_cast<T*>(sums + sums_bytes(out));
      winograd_.clear(in, scratch);
      for (int64_t index = begin; index < end; index++) {
        typename Set::Winograd::Band band;
        band.batch = index / bands;
        band.y = index % bands * kRows;
        band.rows = std::min(kRows, height - band.y);
        band.out = direct_ ? out.as<T>() + band.batch * out.batch_stride + band.y * out.row_stride : reinterpret_cast<T*>(sums);
        winograd_.run(in, band, finish_.constants(), scratch);
        if (!direct_) finish_.run_sums(sums, kRows * width, (band.batch * height + band.y) * width, band.rows * width, inputs, outputs);
      }
    });
  }

 private:
  size_t sums_bytes(const TensorView& out) const { return direct_ ? 0 : finish_.scratch_bytes(kRows * out.shape[3]); }
  size_t transform_bytes(const TensorView& in) const { return align_up(winograd_.scratch_elements(in) * sizeof(T)); }

  std::string name_;
  size_t input_;
  typename Set::Finish finish_;
  bool direct_;  // nothing is left to do after the form
  typename Set::Winograd winograd_;
};

inline bool is_pointwise(const ConvGeometry& g) {
  const bool pads = g.pad_top + g.pad_bottom + g.pad_left + g.pad_right > 0;
  return g.kernel_h == 1 && g.kernel_w == 1 && g.stride_h == 1 && g.stride_w == 1 && !pads;
}

// Gates are the set's affair.
template <class Set> bool accepts_conv2d(const graph::Node& node, const graph::Graph& graph) {
  if (!computes_in<typename Set::Value>(node) || !has_filter(node, graph)) return false;
  const ConvParameters p = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = p.geometry;
  constexpr int64_t kLargest = Set::Row::kMaxSegments;
  const bool pads = !p.same_padding && Set::ConvRows::has_narrow_edges(g);
  const bool vectors = !is_pointwise(g) || pixel_stride_of(g.in_channels) % Set::kGemmLanes == 0;
  return g.groups == 1 && g.in_channels > 1 && g.kernel_h <= kLargest && g.kernel_w <= kLargest && g.dilation_h == 1 && g.dilation_w == 1 &&
         pads && vectors;
}

template <class Set> std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph) {
  const ConvParameters parameters = generic::conv_parameters(node, graph, false);
  if (is_pointwise(parameters.geometry)) return std::make_unique<Pointwise<Set>>(node, graph, parameters);
  if (suits_winograd(parameters.geometry) && is_pure_fp32(graph)) return std::make_unique<WinogradConv2d<Set>>(node, graph, parameters);
  return std::make_unique<WindowConv2d<Set>>(node, graph, parameters);
}

}  // namespace edgeocr::kernels::floating
