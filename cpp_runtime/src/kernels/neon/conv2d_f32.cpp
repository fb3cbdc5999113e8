// conv2d, fp32, one group: 1x1 as one long row of pixels, kernels up to 5 x 5 row by row through WindowF32.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/aligned.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/neon/gemm_f32.h"
#include "kernels/neon/kernels_f32.h"
#include "kernels/neon/window_f32.h"

namespace edgeocr::kernels::neon {

namespace {

using generic::ConvParameters;

constexpr int64_t kEdge = 8;  // outputs at either end of a row whose window is a copy: a register tile's worth

// A panel of pixels should stay in the L1 cache.
constexpr int64_t kPanelBytes = 32 << 10;

class Conv2dF32 : public Kernel {
 public:
  Conv2dF32(const graph::Node& node, const graph::Graph& graph)
      : parameters_(generic::conv_parameters(node, graph, false)), input_(generic::input_index(node, "Input")),
        lanes_(pixel_stride_of(parameters_.geometry.in_channels)),
        finish_(generic::bias_or_zeros(node, graph, parameters_.geometry.out_channels), generic::conv_activation(node), parse_tail(node, graph)),
        gemm_(make_gemm(generic::constant_input(node, graph, "Filter"))) {}

  std::string_view name() const override { return is_pointwise() ? "neon.conv2d.fp32.1x1" : "neon.conv2d.fp32.direct"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker(inputs[input_], outputs[0]).bytes;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& in = inputs[input_];
    if (is_flat(inputs, outputs)) run_flat(context, inputs, outputs);
    else run_rows(context, inputs, outputs, WindowF32(in, parameters_.geometry.kernel_h, window_columns(outputs[0].shape[3]), lanes_, copies(in)));
  }

 private:
  bool is_pointwise() const {
    const ConvGeometry& g = parameters_.geometry;
    return g.kernel_h == 1 && g.kernel_w == 1 && g.stride_h == 1 && g.stride_w == 1 && g.pad_top + g.pad_bottom + g.pad_left + g.pad_right == 0;
  }

  GemmF32 make_gemm(const graph::Constant& filter) const {
    const ConvGeometry& g = parameters_.geometry;
    const auto values = filter.as<float>();
    const auto weight = [&](int64_t ky, int64_t i, int64_t o) {
      const int64_t kx = i / lanes_, c = i % lanes_;
      if (c >= g.in_channels || o >= g.out_channels) return 0.0f;
      return values[static_cast<size_t>(((o * g.in_channels + c) * g.kernel_h + ky) * g.kernel_w + kx)];
    };
    return {g.kernel_h, g.kernel_w * lanes_, finish_.lanes(), finish_.form(), weight, g.in_channels == 3};
  }

  // Pixels of a window row must be contiguous where a segment spans several.
  bool copies(const TensorView& in) const { return parameters_.geometry.kernel_w > 1 && in.pixel_stride != lanes_; }
  int64_t columns_under(int64_t outputs) const {
    return (outputs - 1) * parameters_.geometry.stride_w + parameters_.geometry.kernel_w;
  }
  // Rows shorter than two edges are one copy.
  int64_t window_columns(int64_t out_w) const { return columns_under(std::min(out_w, 2 * kEdge)); }

  int64_t panel_pixels() const { return std::clamp<int64_t>(kPanelBytes / 4 / lanes_ / 24, 1, 16) * 24; }

  struct Worker {
    size_t window, sums, bytes;
  };
  Worker worker(const TensorView& in, const TensorView& out) const {
    Worker w{};
    const WindowF32 window(in, parameters_.geometry.kernel_h, window_columns(out.shape[3]), lanes_);
    w.window = align_up(window.elements() * sizeof(float));
    const int64_t pixels = std::max(panel_pixels(), out.shape[3]);
    w.sums = finish_.on_registers() ? 0 : align_up(static_cast<size_t>(pixels * finish_.lanes()) * sizeof(float));
    w.bytes = w.window + 2 * w.sums;
    return w;
  }

  // All pixels of input, output and residual at even steps: rows do not matter.
  bool is_flat(std::span<const TensorView> inputs, std::span<const TensorView> outputs) const {
    if (!is_pointwise() || !generic::pixels_are_even(inputs[input_])) return false;
    if (!finish_.on_registers()) return true;
    if (!generic::pixels_are_even(outputs[0])) return false;
    return finish_.residual() < 0 || (finish_.residual_scale() == 1 && generic::pixels_are_even(inputs[static_cast<size_t>(finish_.residual())]));
  }

  void run_flat(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t panel = panel_pixels();
    const bool direct = finish_.on_registers();
    const Worker space = worker(in, out);
    generic::parallel(context, generic::map_pixels(out), panel, [&](int64_t begin, int64_t end, int worker) {
      auto* sums = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * space.bytes + space.window);
      for (int64_t first = begin; first < end; first += panel) {
        RowF32 row;
        row.segments[0] = in.as<const float>() + first * in.pixel_stride;
        row.pixel_step = in.pixel_stride;
        row.pixels = std::min(panel, end - first);
        row.out = direct ? out.as<float>() + first * out.pixel_stride : sums;
        row.out_step = direct ? out.pixel_stride : finish_.lanes();
        if (finish_.form().residual) {
          const TensorView& residual = inputs[static_cast<size_t>(finish_.residual())];
          row.residual = residual.as<const float>() + first * residual.pixel_stride;
          row.residual_step = residual.pixel_stride;
        }
        gemm_.run(row, finish_.constants());
        if (!direct) finish_.run(sums, sums + space.sums / sizeof(float), first, row.pixels, inputs, outputs);
      }
    });
  }

  void run_rows(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs, const WindowF32& window) const {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const ConvGeometry& g = parameters_.geometry;
    const int64_t height = out.shape[2], width = out.shape[3];
    const bool direct = finish_.on_registers();
    const Worker space = worker(in, out);
    generic::parallel(context, out.shape[0] * height, 1, [&](int64_t begin, int64_t end, int worker) {
      auto* patch = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * space.bytes);
      auto* sums = patch + space.window / sizeof(float);
      window.clear(patch);
      for (int64_t line = begin; line < end; line++) {
        const int64_t batch = line / height, y = line % height;
        RowF32 row;
        if (finish_.form().residual) set_residual(row, inputs, batch, y);
        row.out_step = direct ? out.pixel_stride : finish_.lanes();
        const auto run_part = [&](int64_t x, int64_t pixels) {
          const int64_t left = x * g.stride_w - g.pad_left;
          const WindowF32::Pixels source = window.at(batch, y * g.stride_h - g.pad_top, left, columns_under(pixels), patch);
          std::copy_n(source.rows.begin(), g.kernel_h, row.segments.begin());
          row.pixel_step = source.pixel_step * g.stride_w;
          row.pixels = pixels;
          row.first = x;
          row.out = direct ? out.as<float>() + batch * out.batch_stride + y * out.row_stride + x * out.pixel_stride : sums + x * finish_.lanes();
          gemm_.run(row, finish_.constants());
        };
        for_parts(in, width, run_part);
        if (!direct) finish_.run(sums, sums + space.sums / sizeof(float), line * width, width, inputs, outputs);
      }
    });
  }

  // The edges of a row apart from its middle, which is read from the map.
  template <class Run> void for_parts(const TensorView& in, int64_t width, const Run& run) const {
    if (width <= 2 * kEdge) return run(0, width);
    const ConvGeometry& g = parameters_.geometry;
    if (copies(in)) {
      for (int64_t x = 0; x < width; x += kEdge) run(x, std::min(kEdge, width - x));
      return;
    }
    const int64_t left = g.pad_left > 0 ? kEdge : 0;
    const int64_t right = (width - 1) * g.stride_w - g.pad_left + g.kernel_w > in.shape[3] ? kEdge : 0;
    if (left > 0) run(0, left);
    run(left, width - left - right);
    if (right > 0) run(width - right, right);
  }

  void set_residual(RowF32& row, std::span<const TensorView> inputs, int64_t batch, int64_t y) const {
    const TensorView& residual = inputs[static_cast<size_t>(finish_.residual())];
    row.residual_shift = __builtin_ctzll(static_cast<unsigned long long>(finish_.residual_scale()));
    row.residual = residual.as<const float>() + batch * residual.batch_stride + (y >> row.residual_shift) * residual.row_stride;
    row.residual_step = residual.pixel_stride;
  }

  ConvParameters parameters_;
  size_t input_;
  int64_t lanes_;  // of an input pixel
  FinishF32 finish_;
  GemmF32 gemm_;
};

}  // namespace

bool accepts_conv2d_f32(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* filter = graph.constant(node.input("Filter"));
  if (node.precision == 2 || filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4) return false;
  const ConvParameters p = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = p.geometry;
  // Pads beyond kEdge outputs would reach the middle of a row.
  const bool pads = !p.same_padding && g.pad_left <= kEdge && g.pad_right <= kEdge;
  return g.groups == 1 && g.in_channels > 1 && g.kernel_h <= RowF32::kMaxSegments && g.kernel_w <= RowF32::kMaxSegments &&
         g.dilation_h == 1 && g.dilation_w == 1 && pads;
}

std::unique_ptr<Kernel> create_conv2d_f32(const graph::Node& node, const graph::Graph& graph) { return std::make_unique<Conv2dF32>(node, graph); }

}  // namespace edgeocr::kernels::neon
