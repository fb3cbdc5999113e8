// Dense int8 convolutions as products of rows of pixels with packed weights: a 1x1 convolution reads the map itself, others read
// kernel_h framed lines, in each of which the pixels that a filter row meets are contiguous. Rows of a 1x1 convolution are joined: what a
// row costs besides its pixels counts where there are few.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/int8/conv_finish.h"
#include "kernels/int8/gemm.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/int8/operators.h"
#include "kernels/line_ring.h"

namespace edgeocr::kernels::int8 {

namespace {

using generic::ConvParameters;

// Bytes of input that stay in L1 while all columns are multiplied with them.
constexpr int64_t kJoinedBytes = 16384;

class Conv2d : public Kernel {
 public:
  Conv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : parameters_(parameters), input_(generic::input_index(node, "Input")), lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        finish_(node, graph, parameters, true), gemm_(packed(parameters, generic::constant_input(node, graph, "Filter"), lanes_, finish_)) {
  }

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs[input_], outputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    finish_.check(name(), outputs, parameters_.geometry.out_channels);
    check_input(inputs[input_], outputs[0]);
    const TensorView& out = outputs[0];
    const size_t bytes = worker_bytes(inputs[input_], out);
    generic::parallel_rows(context, out.shape[0], out.shape[2], 1, [&](int64_t begin, int64_t end, int worker) {
      run_lines(inputs, outputs, begin, end, context.scratch + static_cast<size_t>(worker) * bytes);
    });
  }

 private:
  // [segment: filter row][filter column][lane]
  static Gemm packed(const ConvParameters& parameters, const graph::Constant& filter, int64_t lanes, const ConvFinish& finish) {
    const ConvGeometry& g = parameters.geometry;
    const auto weights = filter.as<int8_t>();
    const auto weight = [&](int64_t ky, int64_t k, int64_t out) -> int8_t {
      const int64_t kx = g.kernel_w == 1 ? 0 : k / lanes, in = k - kx * lanes;
      if (in >= g.in_channels || out >= g.out_channels) return 0;
      return weights[static_cast<size_t>(((out * g.in_channels + in) * g.kernel_h + ky) * g.kernel_w + kx)];
    };
    return {g.kernel_h, g.kernel_w * lanes, pixel_stride_of(g.out_channels), finish.form(), weight, finish.rules()};
  }

  void check_input(const TensorView& in, const TensorView& out) const {
    generic::expect_dtype(name(), "input", in, DataType::i8);
    if (!in.is_map() || in.shape[1] != parameters_.geometry.in_channels || in.shape[0] != out.shape[0])
      fail("conv2d: input is %s, expected %lld channels and a batch of %lld", in.shape.str().c_str(),
           static_cast<long long>(parameters_.geometry.in_channels), static_cast<long long>(out.shape[0]));
  }

  bool is_direct() const {
    const ConvGeometry& g = parameters_.geometry;
    return g.kernel_h == 1 && g.kernel_w == 1 && !parameters_.same_padding && g.pad_top == 0 && g.pad_bottom == 0 && g.pad_left == 0 &&
           g.pad_right == 0;
  }

  // How many rows are computed as one: more than one where an output pixel is made of what lies in its place alone.
  int64_t rows_at_once(const TensorView& in) const {
    const ConvGeometry& g = parameters_.geometry;
    if (!is_direct() || g.stride_h != 1 || g.stride_w != 1 || finish_.residual_shift() != 0) return 1;
    return std::clamp<int64_t>(kJoinedBytes / (in.shape[3] * lanes_), 1, in.shape[0] * in.shape[2]);
  }

  LineRing::Layout ring_layout(const TensorView& in, const TensorView& out) const {
    const ConvGeometry& g = parameters_.geometry;
    if (is_direct()) return {};
    return {.rows = g.kernel_h,
            .pixels = (out.shape[3] - 1) * g.stride_w + g.kernel_w,
            .left = parameters_.pad_left(in.shape[3]),
            .lanes = lanes_};
  }

  size_t worker_bytes(const TensorView& in, const TensorView& out) const {
    const size_t ring = is_direct() ? 0 : ring_layout(in, out).bytes();
    return ring + finish_.scratch_bytes(out, rows_at_once(in));
  }

  void run_lines(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int64_t begin, int64_t end,
                 std::byte* memory) const {
    const ConvGeometry& g = parameters_.geometry;
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], top = parameters_.pad_top(in.shape[2]), most = rows_at_once(in);
    const FinishConstants constants = finish_.constants();
    std::byte* row_memory = memory;
    std::optional<LineRing> ring;
    if (!is_direct()) {
      row_memory += ring_layout(in, out).bytes();
      ring.emplace(ring_layout(in, out), in, memory);
    }
    for (int64_t line = begin, rows = 0; line < end; line += rows) {
      rows = std::min(most, end - line);
      const int64_t batch = line / height, y = line % height;
      const ConvFinish::Row to = finish_.row(outputs, line, row_memory);
      GemmRow row{.pixels = rows * out.shape[3], .out = to.data, .out_step = to.step, .second = to.second, .second_step = to.second_step};
      if (ring) {
        row.pixel_step = g.stride_w * lanes_;
        for (int64_t ky = 0; ky < g.kernel_h; ky++) row.segments[static_cast<size_t>(ky)] = ring->line(batch, y * g.stride_h - top + ky);
      } else {
        row.pixel_step = g.stride_w * in.pixel_stride;
        row.segments[0] = in.as<const int8_t>() + batch * in.batch_stride + y * g.stride_h * in.row_stride;
      }
      if (finish_.residual() >= 0) {
        const TensorView& residual = inputs[static_cast<size_t>(finish_.residual())];
        row.residual_shift = finish_.residual_shift();
        row.residual = residual.as<const float>() + batch * residual.batch_stride + (y >> row.residual_shift) * residual.row_stride;
        row.residual_step = residual.pixel_stride;
      }
      gemm_.run(row, constants);
      finish_.complete(to, outputs, line, rows);
    }
  }

  std::string name_ = kernel_name("conv2d.int8.gemm");
  ConvParameters parameters_;
  size_t input_;
  int64_t lanes_;  // of an input pixel
  ConvFinish finish_;
  Gemm gemm_;
};

}  // namespace

bool accepts_conv2d(const graph::Node& node, const graph::Graph& graph) {
  if (node.precision != graph::kInt8Precision) return false;
  const ConvParameters parameters = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = parameters.geometry;
  return g.groups == 1 && g.dilation_h == 1 && g.dilation_w == 1 && g.kernel_h <= LineRing::kMaxRows && g.in_channels > 1 &&
         g.out_channels > 4 && ConvFinish::accepts(node, graph, parameters, {.residual = true, .fp16 = true});
}

std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Conv2d>(node, graph, generic::conv_parameters(node, graph, false));
}

}  // namespace edgeocr::kernels::int8
