// conv2d, fp32, one group: 1x1 over all pixels as one long row, kernels up to 5 x 5 row by row, wide 3x3 by Winograd where the net
// is fp32 throughout.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/aligned.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/gated_conv2d.h"
#include "kernels/generic/parameters.h"
#include "kernels/pure_fp32.h"
#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/set_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

using generic::ConvParameters;

FinishF32 finish_of(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters) {
  return {generic::bias_or_zeros(node, graph, parameters.geometry.out_channels), generic::conv_activation(node), parse_tail(node, graph)};
}

// Sums that FinishF32 works on, twice.
size_t sums_bytes(const FinishF32& finish, int64_t pixels) {
  return finish.on_registers() ? 0 : 2 * align_up(static_cast<size_t>(pixels * finish.lanes()) * sizeof(float));
}

class PointwiseF32 : public Kernel {
 public:
  PointwiseF32(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        finish_(finish_of(node, graph, parameters)), gemm_(make_gemm(parameters.geometry, generic::constant_input(node, graph, "Filter"))) {
  }

  std::string_view name() const override { return "x86.conv2d.fp32.1x1"; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * sums_bytes(finish_, std::max(panel_pixels(), outputs[0].shape[3]));
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& out = outputs[0];
    const int64_t width = out.shape[3];
    Pixels pixels{0, generic::map_pixels(out)};
    if (context.rows) pixels = {context.rows->begin * width, context.rows->end * width};
    if (is_even(inputs, out)) return run_pixels(context, pixels, panel_pixels(), inputs, outputs);
    // Panels are rows, whose pixels are at even steps.
    run_pixels(context, pixels, width, inputs, outputs);
  }

 private:
  GemmF32 make_gemm(const ConvGeometry& g, const graph::Constant& filter) const {
    const auto values = filter.as<float>();
    const auto weight = [&](int64_t, int64_t c, int64_t o) {
      return c < g.in_channels && o < g.out_channels ? values[static_cast<size_t>(o * g.in_channels + c)] : 0.0f;
    };
    return {1, lanes_, finish_.lanes(), finish_.form(), weight};
  }

  // A panel of pixels should stay in the L1 cache.
  int64_t panel_pixels() const {
    constexpr int64_t kBytes = 32 << 10, kStep = 24;
    return std::clamp<int64_t>(kBytes / 4 / lanes_ / kStep, 1, 16) * kStep;
  }

  bool is_even(std::span<const TensorView> inputs, const TensorView& out) const {
    if (!generic::pixels_are_even(inputs[input_])) return false;
    if (!finish_.on_registers()) return true;
    if (!generic::pixels_are_even(out)) return false;
    return !finish_.form().residual ||
           (finish_.residual_scale() == 1 && generic::pixels_are_even(inputs[static_cast<size_t>(finish_.residual())]));
  }

  // Pixels begin … end - 1, counted over N, H and W.
  struct Pixels {
    int64_t begin, end;
  };

  // `panel` pixels at a time; within a panel, inputs, outputs and residuals are at even steps.
  void run_pixels(const RunContext& context, Pixels pixels, int64_t panel, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const size_t worker_bytes = sums_bytes(finish_, std::max(panel_pixels(), out.shape[3]));
    generic::parallel(context, pixels.end - pixels.begin, panel, [&](int64_t begin, int64_t end, int worker) {
      auto* sums = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * worker_bytes);
      auto* other = sums + worker_bytes / 2 / sizeof(float);
      begin += pixels.begin, end += pixels.begin;
      for (int64_t first = begin; first < end; first += panel) {
        RowF32 row;
        row.segments[0] = in.as<const float>() + generic::pixel_offset(in, first);
        row.pixel_step = in.pixel_stride;
        row.pixels = std::min(panel, end - first);
        row.out = finish_.on_registers() ? out.as<float>() + generic::pixel_offset(out, first) : sums;
        row.out_step = finish_.on_registers() ? out.pixel_stride : finish_.lanes();
        if (finish_.form().residual) finish_.set_residual(row, first, out.shape, inputs);
        gemm_.run(row, finish_.constants());
        if (!finish_.on_registers()) finish_.run(sums, other, first, row.pixels, inputs, outputs);
      }
    });
  }

  size_t input_;
  int64_t lanes_;  // of an input pixel
  FinishF32 finish_;
  GemmF32 gemm_;
};

class WindowConv2dF32 : public Kernel {
 public:
  WindowConv2dF32(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), finish_(finish_of(node, graph, parameters)),
        rows_(parameters.geometry, generic::constant_input(node, graph, "Filter"), finish_.lanes(), finish_.form()) {}

  std::string_view name() const override { return "x86.conv2d.fp32.direct"; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * (patch_bytes(inputs[input_], outputs[0]) + sums_bytes(finish_, outputs[0].shape[3]));
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3];
    const size_t patch = patch_bytes(in, out), sums_size = sums_bytes(finish_, width);
    generic::parallel_rows(context, out.shape[0], height, 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * (patch + sums_size);
      auto* window = reinterpret_cast<float*>(memory);
      auto *sums = reinterpret_cast<float*>(memory + patch), *other = sums + sums_size / 2 / sizeof(float);
      rows_.clear(in, width, window);
      for (int64_t line = begin; line < end; line++) {
        const int64_t batch = line / height, y = line % height;
        RowF32 row;
        row.out = finish_.on_registers() ? out.as<float>() + batch * out.batch_stride + y * out.row_stride : sums;
        row.out_step = finish_.on_registers() ? out.pixel_stride : finish_.lanes();
        if (finish_.form().residual) finish_.set_residual(row, line * width, out.shape, inputs);
        rows_.run(in, batch, y, width, row, finish_.constants(), window);
        if (!finish_.on_registers()) finish_.run(sums, other, line * width, width, inputs, outputs);
      }
    });
  }

 private:
  size_t patch_bytes(const TensorView& in, const TensorView& out) const {
    return align_up(rows_.scratch_elements(in, out.shape[3]) * sizeof(float));
  }

  size_t input_;
  FinishF32 finish_;
  SetF32::ConvRows rows_;
};

// Four rows of outputs at a time.
class WinogradConv2dF32 : public Kernel {
 public:
  WinogradConv2dF32(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), finish_(finish_of(node, graph, parameters)),
        direct_(finish_.on_registers() && !finish_.form().residual),
        winograd_(generic::constant_input(node, graph, "Filter"), finish_.lanes(), direct_ ? finish_.form() : FormF32{}) {}

  std::string_view name() const override { return "x86.conv2d.fp32.winograd"; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return WinogradF32::kTile; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs[input_], outputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3], bands = (height + WinogradF32::kTile - 1) / WinogradF32::kTile;
    generic::parallel_rows(context, out.shape[0], height, WinogradF32::kTile, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * worker_bytes(in, out);
      auto *sums = reinterpret_cast<float*>(memory), *other = reinterpret_cast<float*>(memory + band_bytes(out));
      auto* scratch = reinterpret_cast<float*>(memory + 2 * band_bytes(out));
      winograd_.clear(in, scratch);
      for (int64_t index = begin; index < end; index++) {
        WinogradF32::Band band;
        band.batch = index / bands;
        band.y = index % bands * WinogradF32::kTile;
        band.rows = std::min(WinogradF32::kTile, height - band.y);
        band.out = direct_ ? out.as<float>() + band.batch * out.batch_stride + band.y * out.row_stride : sums;
        band.out_row = direct_ ? out.row_stride : width * finish_.lanes();
        band.out_step = direct_ ? out.pixel_stride : finish_.lanes();
        winograd_.run(in, band, finish_.constants(), scratch);
        if (!direct_) finish_.run(sums, other, (band.batch * height + band.y) * width, band.rows * width, inputs, outputs);
      }
    });
  }

 private:
  size_t band_bytes(const TensorView& out) const {
    return direct_ ? 0 : align_up(static_cast<size_t>(WinogradF32::kTile * out.shape[3] * finish_.lanes()) * sizeof(float));
  }
  size_t worker_bytes(const TensorView& in, const TensorView& out) const {
    return 2 * band_bytes(out) + align_up(winograd_.scratch_elements(in) * sizeof(float));
  }

  size_t input_;
  FinishF32 finish_;
  bool direct_;  // nothing is left to do after the form
  WinogradF32 winograd_;
};

bool is_pointwise(const ConvGeometry& g) {
  return g.kernel_h == 1 && g.kernel_w == 1 && g.stride_h == 1 && g.stride_w == 1 &&
         g.pad_top + g.pad_bottom + g.pad_left + g.pad_right == 0;
}

}  // namespace

bool accepts_conv2d_f32(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* filter = graph.constant(node.input("Filter"));
  if (node.precision == 2 || filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4) return false;
  const ConvParameters p = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = p.geometry;
  constexpr int64_t kEdge = SetF32::ConvRows::kEdge;
  const bool pads = !p.same_padding && g.pad_left <= kEdge && g.pad_right <= kEdge;
  return g.groups == 1 && g.in_channels > 1 && g.kernel_h <= RowF32::kMaxSegments && g.kernel_w <= RowF32::kMaxSegments &&
         g.dilation_h == 1 && g.dilation_w == 1 && pads;
}

std::unique_ptr<Kernel> create_conv2d_f32(const graph::Node& node, const graph::Graph& graph) {
  if (generic::is_gated(node)) return generic::create_gated_conv2d(node, graph, create_conv2d_f32);
  const ConvParameters parameters = generic::conv_parameters(node, graph, false);
  if (is_pointwise(parameters.geometry)) return std::make_unique<PointwiseF32>(node, graph, parameters);
  if (WinogradF32::suits(parameters.geometry) && is_pure_fp32(graph)) return std::make_unique<WinogradConv2dF32>(node, graph, parameters);
  return std::make_unique<WindowConv2dF32>(node, graph, parameters);
}

}  // namespace edgeocr::kernels::x86
