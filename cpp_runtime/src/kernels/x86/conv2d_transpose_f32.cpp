// conv2d_transpose, fp32, 2x2 with steps of two: no two taps meet, so an output row is one matrix product of an input row, its
// columns [dx][output channel] being two neighbouring output pixels. One output channel: all four taps are the columns.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/x86/finish_f32.h"
#include "kernels/x86/gemm_f32.h"
#include "kernels/x86/kernels_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

using generic::ConvParameters;

FinishF32 finish_of(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters) {
  return {generic::bias_or_zeros(node, graph, parameters.geometry.out_channels), generic::conv_activation(node), parse_tail(node, graph)};
}

class TransposeF32 : public Kernel {
 public:
  TransposeF32(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        finish_(finish_of(node, graph, parameters)), direct_(finish_.on_registers() && !finish_.form().residual) {
    const ConvGeometry& g = parameters.geometry;
    const auto filter = generic::constant_input(node, graph, "Filter").as<float>();  // [I, O, 2, 2]
    for (int64_t dy = 0; dy < 2; dy++) {
      const auto weight = [&](int64_t, int64_t c, int64_t column) {
        const int64_t dx = column / finish_.lanes(), o = column % finish_.lanes();
        return c < g.in_channels && o < g.out_channels ? filter[static_cast<size_t>(((c * g.out_channels + o) * 2 + dy) * 2 + dx)] : 0.0f;
      };
      gemms_.emplace_back(1, lanes_, 2 * finish_.lanes(), direct_ ? finish_.form() : FormF32{}, weight);
    }
    for (int dx = 0; dx < 2; dx++) bias_.insert(bias_.end(), finish_.constants().bias, finish_.constants().bias + finish_.lanes());
  }

  std::string_view name() const override { return "x86.conv2d_transpose.fp32.2x2"; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return 2; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * 2 * sums_bytes(outputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3];
    ConstantsF32 constants = finish_.constants();
    constants.bias = bias_.data();
    generic::parallel_rows(context, out.shape[0], height, 2, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * 2 * sums_bytes(out);
      auto *sums = reinterpret_cast<float*>(memory), *other = reinterpret_cast<float*>(memory + sums_bytes(out));
      for (int64_t line = 2 * begin; line < 2 * end; line++) {
        const int64_t batch = line / height, y = line % height;
        const bool to_output = direct_ && out.pixel_stride == finish_.lanes();
        RowF32 row;
        row.segments[0] = in.as<const float>() + batch * in.batch_stride + y / 2 * in.row_stride;
        row.pixel_step = in.pixel_stride;
        row.pixels = in.shape[3];
        row.out = to_output ? out.as<float>() + batch * out.batch_stride + y * out.row_stride : sums;
        row.out_step = 2 * finish_.lanes();
        gemms_[static_cast<size_t>(y % 2)].run(row, constants);
        if (!direct_) finish_.run(sums, other, line * width, width, inputs, outputs);
        else if (!to_output) copy_row(sums, out, line * width);
      }
    });
  }

 private:
  size_t sums_bytes(const TensorView& out) const { return align_up(static_cast<size_t>(out.shape[3] * finish_.lanes()) * sizeof(float)); }

  void copy_row(const float* pixels, const TensorView& out, int64_t first) const {
    for (int64_t x = 0; x < out.shape[3]; x++)
      std::copy_n(pixels + x * finish_.lanes(), finish_.lanes(), out.as<float>() + generic::pixel_offset(out, first + x));
  }

  size_t input_;
  int64_t lanes_;  // of an input pixel
  FinishF32 finish_;
  bool direct_;                 // nothing is left to do after the form
  std::vector<GemmF32> gemms_;  // of even and odd rows
  std::vector<float> bias_;     // twice, side by side
};

class SingleTransposeF32 : public Kernel {
 public:
  SingleTransposeF32(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : input_(generic::input_index(node, "Input")), finish_(finish_of(node, graph, parameters)),
        gemm_(make_gemm(parameters.geometry, generic::constant_input(node, graph, "Filter"))),
        bias_(kColumns, finish_.constants().bias[0]) {}

  std::string_view name() const override { return "x86.conv2d_transpose.fp32.2x2_single"; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return 2; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs[input_]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = in.shape[2], width = in.shape[3];
    const ConstantsF32 constants{.bias = bias_.data()};
    generic::parallel_rows(context, out.shape[0], out.shape[2], 2, [&](int64_t begin, int64_t end, int worker) {
      auto* taps = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * worker_bytes(in));
      float *pixels = taps + kColumns * width, *other = pixels + 4 * width;
      for (int64_t line = begin; line < end; line++) {
        RowF32 row;
        row.segments[0] = in.as<const float>() + line / height * in.batch_stride + line % height * in.row_stride;
        row.pixel_step = in.pixel_stride;
        row.pixels = width;
        row.out = taps;
        row.out_step = kColumns;
        gemm_.run(row, constants);
        split_rows(taps, width, pixels);
        // Two rows of outputs follow each other.
        finish_.run_single(pixels, other, 2 * line * out.shape[3], 4 * width, inputs, outputs);
      }
    });
  }

 private:
  static constexpr int64_t kColumns = 8;  // of the product: four taps and what a vector has beyond them

  // The product of a row, its pixels and a copy of them.
  static size_t worker_bytes(const TensorView& in) { return align_up(static_cast<size_t>((kColumns + 8) * in.shape[3]) * sizeof(float)); }

  GemmF32 make_gemm(const ConvGeometry& g, const graph::Constant& filter) const {
    const auto values = filter.as<float>();  // [I, 1, 2, 2]
    const auto weight = [&](int64_t, int64_t c, int64_t tap) {
      return c < g.in_channels && tap < 4 ? values[static_cast<size_t>(c * 4 + tap)] : 0.0f;
    };
    return {1, pixel_stride_of(g.in_channels), kColumns, {}, weight};
  }

  // [pixel][kColumns], of which the first are [dy][dx], to [dy][pixel][dx]
  static void split_rows(const float* taps, int64_t width, float* rows) {
    for (int64_t x = 0; x < width; x++, taps += kColumns) {
      std::copy_n(taps, 2, rows + 2 * x);
      std::copy_n(taps + 2, 2, rows + 2 * (width + x));
    }
  }

  size_t input_;
  FinishF32 finish_;
  GemmF32 gemm_;
  std::vector<float> bias_;  // of every column the same
};

}  // namespace

bool accepts_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* filter = graph.constant(node.input("Filter"));
  if (node.precision == 2 || filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4) return false;
  // Outputs beyond the last tap would have none.
  if (!node.attr_ints("output_padding").empty() || !node.attr_ints("output_size").empty()) return false;
  const ConvParameters p = generic::conv_parameters(node, graph, true);
  const ConvGeometry& g = p.geometry;
  const bool window = g.kernel_h == 2 && g.kernel_w == 2 && g.stride_h == 2 && g.stride_w == 2 && g.dilation_h == 1 && g.dilation_w == 1;
  const bool pads = p.same_padding || g.pad_top != 0 || g.pad_bottom != 0 || g.pad_left != 0 || g.pad_right != 0;
  return window && !pads && g.groups == 1 && g.in_channels > 1 && (g.out_channels == 1 || g.out_channels > 4);
}

std::unique_ptr<Kernel> create_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph) {
  const ConvParameters parameters = generic::conv_parameters(node, graph, true);
  if (parameters.geometry.out_channels == 1) return std::make_unique<SingleTransposeF32>(node, graph, parameters);
  return std::make_unique<TransposeF32>(node, graph, parameters);
}

}  // namespace edgeocr::kernels::x86
