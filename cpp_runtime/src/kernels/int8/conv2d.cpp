// Dense int8 convolutions as products of rows of pixels with packed weights: a 1x1 convolution reads the map itself, others read
// kernel_h framed lines, in each of which the pixels that a filter row meets are contiguous.
#include <optional>

#include "base/error.h"
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

// Pixels that are worth a line: below, rows are joined where they can be.
constexpr int64_t kTilePixels = 8, kSmallMap = 64;

// What a run works on; `direct` convolutions see the pixels of all rows as fewer, longer rows.
struct Maps {
  TensorView in, residual;
  std::array<TensorView, ConvFinish::kMaxOutputs> outputs;
  size_t output_count = 0;
  std::span<const TensorView> out() const { return {outputs.data(), output_count}; }
};

// How many rows of `width` pixels become one, of `rows` in all: the fewest that fill whole tiles.
int64_t joined_rows(int64_t rows, int64_t width) {
  for (int64_t n = 1; n <= kTilePixels; n *= 2)
    if (width * n % kTilePixels == 0 && rows % n == 0) return n;
  return rows * width <= kSmallMap ? rows : 1;
}

void join_rows(int64_t n, TensorView& map) {
  const int64_t rows = map.shape[0] * map.shape[2] / n, width = map.shape[3] * n;
  map.shape = {1, map.shape[1], rows, width};
  map.row_stride = width * map.pixel_stride;
  map.batch_stride = rows * map.row_stride;
}

class Conv2d : public Kernel {
 public:
  Conv2d(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : parameters_(parameters), input_(generic::input_index(node, "Input")), lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        finish_(node, graph, parameters, true), gemm_(packed(parameters, generic::constant_input(node, graph, "Filter"), lanes_, finish_)) {
  }

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(maps_of(inputs, outputs, true));
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const ConvGeometry& g = parameters_.geometry;
    finish_.check(name(), outputs, g.out_channels);
    check_input(inputs[input_], outputs[0]);
    const Maps maps = maps_of(inputs, outputs, !context.rows);
    const size_t bytes = worker_bytes(maps);
    const TensorView& out = maps.outputs[0];
    generic::parallel_rows(context, out.shape[0], out.shape[2], 1, [&](int64_t begin, int64_t end, int worker) {
      run_lines(maps, begin, end, context.scratch + static_cast<size_t>(worker) * bytes);
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

  // join: rows of narrow maps may be joined.
  Maps maps_of(std::span<const TensorView> inputs, std::span<const TensorView> outputs, bool join) const {
    Maps maps{.in = inputs[input_], .residual = {}, .outputs = {}, .output_count = outputs.size()};
    std::ranges::copy(outputs, maps.outputs.begin());
    const bool adds = finish_.residual() >= 0;
    if (adds) maps.residual = inputs[static_cast<size_t>(finish_.residual())];
    const ConvGeometry& g = parameters_.geometry;
    bool even =
        join && is_direct() && g.stride_h == 1 && g.stride_w == 1 && finish_.residual_shift() == 0 && generic::pixels_are_even(maps.in);
    for (const TensorView& out : outputs) even = even && generic::pixels_are_even(out);
    if (adds) even = even && generic::pixels_are_even(maps.residual);
    const TensorView& in = maps.in;
    const int64_t n = even ? joined_rows(in.shape[0] * in.shape[2], in.shape[3]) : 1;
    if (n == 1) return maps;
    join_rows(n, maps.in);
    for (size_t i = 0; i < outputs.size(); i++) join_rows(n, maps.outputs[i]);
    if (adds) join_rows(n, maps.residual);
    return maps;
  }

  LineRing::Layout ring_layout(const Maps& maps) const {
    const ConvGeometry& g = parameters_.geometry;
    if (is_direct()) return {};
    return {.rows = g.kernel_h,
            .pixels = (maps.outputs[0].shape[3] - 1) * g.stride_w + g.kernel_w,
            .left = parameters_.pad_left(maps.in.shape[3]),
            .lanes = lanes_};
  }

  size_t worker_bytes(const Maps& maps) const {
    return (is_direct() ? 0 : ring_layout(maps).bytes()) + finish_.scratch_bytes(maps.outputs[0]);
  }

  void run_lines(const Maps& maps, int64_t begin, int64_t end, std::byte* memory) const {
    const ConvGeometry& g = parameters_.geometry;
    const int64_t height = maps.outputs[0].shape[2], top = parameters_.pad_top(maps.in.shape[2]);
    const FinishConstants constants = finish_.constants();
    std::byte* row_memory = memory;
    std::optional<LineRing> ring;
    if (!is_direct()) {
      row_memory += ring_layout(maps).bytes();
      ring.emplace(ring_layout(maps), maps.in, memory);
    }
    for (int64_t line = begin; line < end; line++) {
      const int64_t batch = line / height, y = line % height;
      const ConvFinish::Row out = finish_.row(maps.out(), line, row_memory);
      GemmRow row{
          .pixels = maps.outputs[0].shape[3], .out = out.data, .out_step = out.step, .second = out.second, .second_step = out.second_step};
      if (ring) {
        row.pixel_step = g.stride_w * lanes_;
        for (int64_t ky = 0; ky < g.kernel_h; ky++) row.segments[static_cast<size_t>(ky)] = ring->line(batch, y * g.stride_h - top + ky);
      } else {
        row.pixel_step = g.stride_w * maps.in.pixel_stride;
        row.segments[0] = maps.in.as<const int8_t>() + batch * maps.in.batch_stride + y * g.stride_h * maps.in.row_stride;
      }
      if (finish_.residual() >= 0) {
        const TensorView& residual = maps.residual;
        row.residual_shift = finish_.residual_shift();
        row.residual = residual.as<const float>() + batch * residual.batch_stride + (y >> row.residual_shift) * residual.row_stride;
        row.residual_step = residual.pixel_stride;
      }
      gemm_.run(row, constants);
      finish_.complete(out, maps.out(), line);
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
  if (node.precision != 2) return false;
  const ConvGeometry g = generic::conv_parameters(node, graph, false).geometry;
  return g.groups == 1 && g.dilation_h == 1 && g.dilation_w == 1 && g.kernel_h <= LineRing::kMaxRows && g.in_channels > 1 &&
         g.out_channels > 4 && ConvFinish::accepts(node, graph, true);
}

std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Conv2d>(node, graph, generic::conv_parameters(node, graph, false));
}

}  // namespace edgeocr::kernels::int8
