// conv2d, fp32 and fp16, one group: 1x1 over all pixels as one long row, with or without gates, kernels up to 5 x 5 row by row, wide 3x3 by
// Winograd where the net has no int8.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/aligned.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/gated_conv2d.h"
#include "kernels/generic/parameters.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_set.h"

namespace edgeocr::kernels::neon {

namespace {

using generic::ConvParameters;

template <class T> class Pointwise : public Kernel {
 public:
  Pointwise(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), gate_(node.input_position("Gate")),
        lanes_(pixel_stride_of(parameters.geometry.in_channels)), finish_(finish_of<T>(node, graph, parameters.geometry.out_channels)),
        gemm_(make_gemm(parameters.geometry, generic::constant_input(node, graph, "Filter"))) {}

  std::string_view name() const override {
    return gate_ < 0 ? float_name<T>("neon.conv2d.fp32.1x1", "neon.conv2d.fp16.1x1")
                     : float_name<T>("neon.conv2d.fp32.1x1.gated", "neon.conv2d.fp16.1x1.gated");
  }
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
    // Maps of the batch have gates of their own.
    auto* weights = reinterpret_cast<T*>(context.scratch);
    const TensorView& gates = inputs[static_cast<size_t>(gate_)];
    for (int64_t batch = 0; batch < out.shape[0]; batch++) {
      gemm_.gate(gates.as<const T>() + batch * gates.batch_stride, weights);
      run_pixels(context, {batch * height * width, (batch + 1) * height * width}, weights, inputs, outputs);
    }
  }

 private:
  Gemm<T> make_gemm(const ConvGeometry& g, const graph::Constant& filter) const {
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
  size_t gated_bytes() const { return gate_ < 0 ? 0 : align_up(gemm_.weight_count() * sizeof(T)); }

  bool is_even(std::span<const TensorView> inputs, const TensorView& out) const {
    if (!generic::pixels_are_even(inputs[input_])) return false;
    if (!finish_.on_registers()) return true;
    if (!generic::pixels_are_even(out)) return false;
    if (!finish_.form().residual) return true;
    return finish_.residual_scale() == 1 && generic::pixels_are_even(inputs[static_cast<size_t>(finish_.residual())]);
  }

  // Pixels begin … end - 1, counted over N, H and W.
  struct Pixels {
    int64_t begin, end;
  };

  // A panel at a time, within which inputs, outputs and residuals are at even steps. weights: gated; null: the kernel's own.
  void run_pixels(const RunContext& context, Pixels pixels, const T* weights, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t panel = is_even(inputs, out) ? panel_pixels() : out.shape[3];  // rows, whose pixels are at even steps
    generic::parallel(context, pixels.end - pixels.begin, panel, [&](int64_t begin, int64_t end, int worker) {
      std::byte* sums = context.scratch + gated_bytes() + static_cast<size_t>(worker) * worker_bytes(out);
      begin += pixels.begin, end += pixels.begin;
      for (int64_t first = begin; first < end; first += panel) {
        Row<T> row;
        row.segments[0] = in.as<const T>() + generic::pixel_offset(in, first);
        row.pixel_step = in.pixel_stride;
        row.pixels = std::min(panel, end - first);
        row.out = finish_.on_registers() ? out.as<T>() + generic::pixel_offset(out, first) : reinterpret_cast<T*>(sums);
        row.out_step = finish_.on_registers() ? out.pixel_stride : finish_.lanes();
        if (finish_.form().residual) finish_.set_residual(row, first, out.shape, inputs);
        if (weights == nullptr) gemm_.run(row, finish_.constants());
        else gemm_.run_gated(row, finish_.constants(), weights);
        if (!finish_.on_registers()) finish_.run_sums(sums, most_pixels(out), first, row.pixels, inputs, outputs);
      }
    });
  }

  size_t input_;
  int gate_;       // position among the inputs, or -1
  int64_t lanes_;  // of an input pixel
  Finish<T> finish_;
  Gemm<T> gemm_;
};

template <class T> class WindowConv2d : public Kernel {
 public:
  WindowConv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), finish_(finish_of<T>(node, graph, parameters.geometry.out_channels)),
        rows_(parameters.geometry, generic::constant_input(node, graph, "Filter"), finish_.lanes(), finish_.form()) {}

  std::string_view name() const override { return float_name<T>("neon.conv2d.fp32.direct", "neon.conv2d.fp16.direct"); }
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
        Row<T> row;
        T* const out_row = out.as<T>() + batch * out.batch_stride + y * out.row_stride;
        row.out = finish_.on_registers() ? out_row : reinterpret_cast<T*>(memory + patch);
        row.out_step = finish_.on_registers() ? out.pixel_stride : finish_.lanes();
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

  size_t input_;
  Finish<T> finish_;
  typename FloatSet<T>::ConvRows rows_;
};

// A row of tiles at a time.
template <class T> class WinogradConv2d : public Kernel {
 public:
  static constexpr int64_t kRows = Winograd<T>::kTile;

  WinogradConv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), finish_(finish_of<T>(node, graph, parameters.geometry.out_channels)),
        direct_(finish_.on_registers() && !finish_.form().residual),
        winograd_(generic::constant_input(node, graph, "Filter"), finish_.lanes(), direct_ ? finish_.form() : finish_.bias_alone()) {}

  std::string_view name() const override { return float_name<T>("neon.conv2d.fp32.winograd", "neon.conv2d.fp16.winograd"); }
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
        typename Winograd<T>::Band band;
        band.batch = index / bands;
        band.y = index % bands * kRows;
        band.rows = std::min(kRows, height - band.y);
        band.out = direct_ ? out.as<T>() + band.batch * out.batch_stride + band.y * out.row_stride : reinterpret_cast<T*>(sums);
        band.out_row = direct_ ? out.row_stride : width * finish_.lanes();
        band.out_step = direct_ ? out.pixel_stride : finish_.lanes();
        winograd_.run(in, band, finish_.constants(), scratch);
        if (!direct_) finish_.run_sums(sums, kRows * width, (band.batch * height + band.y) * width, band.rows * width, inputs, outputs);
      }
    });
  }

 private:
  size_t sums_bytes(const TensorView& out) const { return direct_ ? 0 : finish_.scratch_bytes(kRows * out.shape[3]); }
  size_t transform_bytes(const TensorView& in) const { return align_up(winograd_.scratch_elements(in) * sizeof(T)); }

  size_t input_;
  Finish<T> finish_;
  bool direct_;  // nothing is left to do after the form
  Winograd<T> winograd_;
};

bool is_pointwise(const ConvGeometry& g) {
  const bool pads = g.pad_top + g.pad_bottom + g.pad_left + g.pad_right > 0;
  return g.kernel_h == 1 && g.kernel_w == 1 && g.stride_h == 1 && g.stride_w == 1 && !pads;
}

}  // namespace

template <class T> bool accepts_conv2d(const graph::Node& node, const graph::Graph& graph) {
  if (!computes_in<T>(node) || !has_filter(node, graph)) return false;
  const ConvParameters p = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = p.geometry;
  constexpr int64_t kEdge = FloatSet<T>::ConvRows::kEdge;
  const bool pads = !p.same_padding && g.pad_left <= kEdge && g.pad_right <= kEdge;
  const bool vectors = !is_pointwise(g) || pixel_stride_of(g.in_channels) % Vec<T>::kLanes == 0;
  if (generic::is_gated(node) && (!is_pointwise(g) || (std::is_same_v<T, float> && !is_pure_fp32(graph)))) return false;
  return g.groups == 1 && g.in_channels > 1 && g.kernel_h <= Row<T>::kMaxSegments && g.kernel_w <= Row<T>::kMaxSegments &&
         g.dilation_h == 1 && g.dilation_w == 1 && pads && vectors;
}

template <class T> std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph) {
  const ConvParameters parameters = generic::conv_parameters(node, graph, false);
  if (is_pointwise(parameters.geometry)) return std::make_unique<Pointwise<T>>(node, graph, parameters);
  if (Winograd<T>::suits(parameters.geometry) && is_pure_fp32(graph)) return std::make_unique<WinogradConv2d<T>>(node, graph, parameters);
  return std::make_unique<WindowConv2d<T>>(node, graph, parameters);
}

template bool accepts_conv2d<float>(const graph::Node&, const graph::Graph&);
template bool accepts_conv2d<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
