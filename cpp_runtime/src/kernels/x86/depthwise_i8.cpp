// Depthwise int8 convolutions by dot products over rows: four input rows of one channel side by side in 32 bits.
//
// A strip is the output rows that 4 (kernel 3) or 8 (kernel 5) input rows are enough for. For each block of 8 channels the strip's
// columns are transposed once, four rows to a vector of 8 channels x 4 rows; an output row is then kernel_w dot products per such quad
// of rows, with weights that are zero where the row's window does not reach.
#include <array>
#include <cstdlib>
#include <cstring>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/x86/conv_finish.h"
#include "kernels/x86/convolutions_i8.h"

namespace edgeocr::kernels::x86 {

namespace {

using generic::ConvParameters;
using generic::parallel;

constexpr int64_t kBlock = 8;       // channels
constexpr int64_t kQuadBytes = 32;  // a column of a block: [channel][row]
constexpr uint8_t kZero = 128;      // as an input without its sign

class DepthwiseI8 : public Kernel {
 public:
  DepthwiseI8(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : loops_(*current_inner_loops().int8), parameters_(parameters), input_(generic::input_index(node, "Input")),
        lanes_(pixel_stride_of(parameters.geometry.in_channels)), quads_(parameters.geometry.kernel_h == 3 ? 1 : 2),
        strip_rows_((4 * quads_ - parameters.geometry.kernel_h) / parameters.geometry.stride_h + 1), finish_(node, graph, parameters),
        compute_row_(loops_.depthwise(parameters.geometry.kernel_w, parameters.geometry.stride_w)) {
    pack(generic::constant_input(node, graph, "Filter").as<int8_t>());
  }

  std::string_view name() const override { return "x86.depthwise_conv2d.int8"; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return strip_rows_; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * layout_of(inputs[input_], outputs[0]).bytes();
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    finish_.check(name(), outputs, parameters_.geometry.out_channels);
    generic::expect_dtype(name(), "input", in, DataType::i8);
    if (!in.is_map() || in.shape[1] != parameters_.geometry.in_channels || in.shape[0] != out.shape[0])
      fail("depthwise_conv2d: input is %s, output %s", in.shape.str().c_str(), out.shape.str().c_str());
    const Layout layout = layout_of(in, out);
    const int64_t strips = (out.shape[2] + strip_rows_ - 1) / strip_rows_;
    generic::parallel_rows(context, out.shape[0], out.shape[2], strip_rows_, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * layout.bytes();
      // The borders of the columns stay zero.
      std::memset(memory, kZero, layout.columns_bytes);
      std::memset(memory + layout.columns_bytes, 0, layout.zeros_bytes);
      for (int64_t i = begin; i < end; i++) run_strip(in, outputs, layout, i / strips, i % strips * strip_rows_, memory);
    });
  }

 private:
  // Scratch memory of a worker: transposed columns, a row of zeros, rows of results.
  struct Layout {
    int64_t columns;  // of a quad
    size_t columns_bytes, zeros_bytes, row_bytes, rows;
    size_t bytes() const { return columns_bytes + zeros_bytes + rows * row_bytes; }
  };
  Layout layout_of(const TensorView& in, const TensorView& out) const {
    const ConvGeometry& g = parameters_.geometry;
    const int64_t computed = (out.shape[3] + loops_.depthwise_columns - 1) / loops_.depthwise_columns * loops_.depthwise_columns;
    const int64_t columns = (computed - 1) * g.stride_w + g.kernel_w;
    return {.columns = columns,
            .columns_bytes = align_up(static_cast<size_t>(quads_ * columns * kQuadBytes)),
            .zeros_bytes = align_up(static_cast<size_t>(in.shape[3] * in.pixel_stride)),
            .row_bytes = finish_.scratch_bytes(out),
            .rows = static_cast<size_t>(strip_rows_)};
  }

  // Weights: [block][row of the strip][quad][kernel column][8 channels][4 rows]
  void pack(std::span<const int8_t> filter) {
    const ConvGeometry& g = parameters_.geometry;
    starts_.resize(static_cast<size_t>(lanes_), 0);
    for (int64_t channel = 0; channel < g.in_channels; channel++)
      for (int64_t tap = 0; tap < g.kernel_h * g.kernel_w; tap++)
        starts_[static_cast<size_t>(channel)] -= kZero * filter[static_cast<size_t>(channel * g.kernel_h * g.kernel_w + tap)];
    for (int64_t block = 0; block < lanes_; block += kBlock)
      for (int64_t row = 0; row < strip_rows_; row++)
        for (int64_t quad = 0; quad < quads_; quad++)
          for (int64_t kx = 0; kx < g.kernel_w; kx++)
            for (int64_t channel = block; channel < block + kBlock; channel++)
              for (int64_t i = 0; i < 4; i++) {
                const int64_t ky = quad * 4 + i - row * g.stride_h;
                const bool reached = ky >= 0 && ky < g.kernel_h && channel < g.in_channels;
                weights_.push_back(reached ? filter[static_cast<size_t>((channel * g.kernel_h + ky) * g.kernel_w + kx)] : int8_t{0});
              }
  }

  // Input rows from first_row on, `reached` of them: others have weights of zero, and may not be in memory.
  void transpose_block(const TensorView& in, const Layout& layout, int64_t batch, int64_t first_row, int64_t reached, int64_t block,
                       const int8_t* zeros, uint8_t* columns) const {
    const int64_t left = parameters_.pad_left(in.shape[3]);
    const int64_t count = std::max<int64_t>(0, std::min(in.shape[3], layout.columns - left));
    for (int64_t quad = 0; quad < quads_; quad++) {
      const int8_t* rows[4];
      for (int64_t i = 0; i < 4; i++) {
        const int64_t offset = quad * 4 + i, y = first_row + offset;
        const bool inside = offset < reached && y >= 0 && y < in.shape[2];
        rows[i] = inside ? in.as<const int8_t>() + batch * in.batch_stride + y * in.row_stride + block : zeros;
      }
      loops_.transpose_quads(rows, in.pixel_stride, count, columns + (quad * layout.columns + left) * kQuadBytes);
    }
  }

  void run_strip(const TensorView& in, std::span<const TensorView> outputs, const Layout& layout, int64_t batch, int64_t y,
                 std::byte* memory) const {
    const ConvGeometry& g = parameters_.geometry;
    const int64_t height = outputs[0].shape[2], rows = std::min(strip_rows_, height - y);
    auto* columns = reinterpret_cast<uint8_t*>(memory);
    const auto* zeros = reinterpret_cast<const int8_t*>(memory + layout.columns_bytes);
    std::array<ConvFinish::Row, 4> out;
    for (size_t r = 0; r < static_cast<size_t>(rows); r++)
      out[r] = finish_.row(outputs, batch * height + y + static_cast<int64_t>(r),
                           memory + layout.columns_bytes + layout.zeros_bytes + r * layout.row_bytes);
    const ptrdiff_t element = finish_.form().store == Store::fp32 ? sizeof(float) : 1;
    const int64_t row_weights = quads_ * g.kernel_w * kQuadBytes;
    for (int64_t block = 0; block < lanes_; block += kBlock) {
      const int64_t reached = (rows - 1) * g.stride_h + g.kernel_h;
      transpose_block(in, layout, batch, y * g.stride_h - parameters_.pad_top(in.shape[2]), reached, block, zeros, columns);
      ConstantsI8 constants = finish_.constants();
      constants.scale += block;
      constants.bias += block;
      const int8_t* weights = weights_.data() + block / kBlock * strip_rows_ * row_weights;
      for (int64_t r = 0; r < rows; r++) {
        const ConvFinish::Row& row = out[static_cast<size_t>(r)];
        const DepthwiseRowI8 arguments{.columns = columns,
                                       .quad_step = layout.columns * kQuadBytes,
                                       .weights = weights + r * row_weights,
                                       .start = starts_.data() + block,
                                       .out = row.data + block * element,
                                       .out_step = row.step,
                                       .width = outputs[0].shape[3]};
        compute_row_(arguments, finish_.form(), constants);
      }
    }
    for (int64_t r = 0; r < rows; r++) finish_.complete(out[static_cast<size_t>(r)], outputs, batch * height + y + r);
  }

  const InnerLoopsI8& loops_;
  ConvParameters parameters_;
  size_t input_;
  int64_t lanes_, quads_, strip_rows_;
  ConvFinish finish_;
  DepthwiseFunctionI8 compute_row_;
  std::vector<int8_t> weights_;
  std::vector<int32_t> starts_;  // of each channel
};

bool is_step(int64_t stride) { return stride == 1 || stride == 2; }

}  // namespace

bool accepts_depthwise_i8(const graph::Node& node, const graph::Graph& graph) {
  if (node.precision != 2) return false;
  const ConvGeometry g = generic::conv_parameters(node, graph, false).geometry;
  return g.groups == g.in_channels && g.groups == g.out_channels && g.in_channels > 4 && g.kernel_h == g.kernel_w &&
         (g.kernel_h == 3 || g.kernel_h == 5) && is_step(g.stride_h) && is_step(g.stride_w) && g.dilation_h == 1 && g.dilation_w == 1 &&
         ConvFinish::accepts(node, graph, false);
}

std::unique_ptr<Kernel> create_depthwise_i8(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<DepthwiseI8>(node, graph, generic::conv_parameters(node, graph, false));
}

}  // namespace edgeocr::kernels::x86
