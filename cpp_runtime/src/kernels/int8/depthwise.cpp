// Depthwise int8 convolutions by dot products over rows: four input rows of one channel side by side in 32 bits.
//
// A strip is the output rows that 4 (kernel 3) or 8 (kernel 5) input rows are enough for. For each block of 8 channels the strip's
// columns are transposed once (two blocks at a time), four rows to 8 channels x 4 rows; an output row is then kernel_w dot products per
// such quad of rows, with weights that are zero where the row's window does not reach. Where one quad holds a whole map, windows of kernel
// 5 need no second.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/int8/conv_finish.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/int8/operators.h"

namespace edgeocr::kernels::int8 {

namespace {

using generic::ConvParameters;

constexpr int64_t kBlock = 8;       // channels
constexpr int64_t kQuadBytes = 32;  // a column of a block: [channel][row]
constexpr int64_t kLowRows = 4;     // of a map that is one quad

class Depthwise : public Kernel {
 public:
  Depthwise(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : parameters_(parameters), input_(generic::input_index(node, "Input")), lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        strips_(strips_of(parameters.geometry)), finish_(node, graph, parameters, false) {
    const auto filter = generic::constant_input(node, graph, "Filter").as<int8_t>();
    pack(filter, 0, strips_);
    // Sets that transpose zeros to something else have sums begin with what all rows of the window have of that.
    if (strips_.quads == 2 && !parameters.same_padding && loops_.transposed_zero == 0) pack(filter, parameters.geometry.pad_top, low_);
    make_blocks(filter);
  }

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return strips_.rows; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const size_t bytes = layout_of(strips_, in, out).bytes();
    return static_cast<size_t>(threads) * (is_low(in, out) ? std::max(bytes, layout_of(low_, in, out).bytes()) : bytes);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    finish_.check(name(), outputs, parameters_.geometry.out_channels);
    generic::expect_dtype(name(), "input", in, DataType::i8);
    if (!in.is_map() || in.shape[1] != parameters_.geometry.in_channels || in.shape[0] != out.shape[0])
      fail("depthwise_conv2d: input is %s, output %s", in.shape.str().c_str(), out.shape.str().c_str());
    const Strips& form = is_low(in, out) && !context.rows ? low_ : strips_;
    const Layout layout = layout_of(form, in, out);
    const int64_t strips = (out.shape[2] + form.rows - 1) / form.rows;
    generic::parallel_rows(context, out.shape[0], out.shape[2], form.rows, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * layout.bytes();
      // The borders of the columns stay zero.
      std::memset(memory, loops_.transposed_zero, layout.columns_bytes);
      std::memset(memory + layout.columns_bytes, 0, layout.zeros_bytes);
      for (int64_t i = begin; i < end; i++) run_strip(form, in, outputs, layout, i / strips, i % strips * form.rows, memory);
    });
  }

 private:
  struct Strips {
    int64_t quads, rows;          // of inputs, of outputs
    std::vector<int8_t> weights;  // [block][row][quad][kernel column][8 channels][4 rows]
  };
  struct Block {
    Ending ending;
    FinishConstants constants;
    DepthwiseFunction compute_row, compute_low;  // of strips_, of low_
  };
  // Scratch memory of a worker: transposed columns, a row of zeros, rows of results.
  struct Layout {
    int64_t columns;  // of a quad
    int64_t block_bytes;
    size_t columns_bytes, zeros_bytes, row_bytes, rows;
    size_t bytes() const { return columns_bytes + zeros_bytes + rows * row_bytes; }
  };
  Layout layout_of(const Strips& form, const TensorView& in, const TensorView& out) const {
    const ConvGeometry& g = parameters_.geometry;
    const int64_t computed = (out.shape[3] + loops_.depthwise_columns - 1) / loops_.depthwise_columns * loops_.depthwise_columns;
    const int64_t columns = (computed - 1) * g.stride_w + g.kernel_w;
    const int64_t block_bytes = form.quads * columns * kQuadBytes;
    return {.columns = columns,
            .block_bytes = block_bytes,
            .columns_bytes = align_up(static_cast<size_t>(block_bytes * std::min<int64_t>(2, lanes_ / kBlock))),
            .zeros_bytes = align_up(static_cast<size_t>(in.shape[3] * in.pixel_stride)),
            .row_bytes = finish_.scratch_bytes(out),
            .rows = static_cast<size_t>(form.rows)};
  }

  static Strips strips_of(const ConvGeometry& g) {
    const int64_t quads = g.kernel_h == 3 ? 1 : 2;
    return {.quads = quads, .rows = (4 * quads - g.kernel_h) / g.stride_h + 1, .weights = {}};
  }

  // Whether the map is a strip of low_.
  bool is_low(const TensorView& in, const TensorView& out) const {
    return !low_.weights.empty() && in.shape[2] <= kLowRows && out.shape[2] <= low_.rows;
  }

  // above: rows of the window of the first output that are above the first quad's.
  void pack(std::span<const int8_t> filter, int64_t above, Strips& strips) {
    const ConvGeometry& g = parameters_.geometry;
    strips.weights.resize(static_cast<size_t>(lanes_ * strips.rows * strips.quads * g.kernel_w * 4));
    int8_t* to = strips.weights.data();
    for (int64_t block = 0; block < lanes_; block += kBlock)
      for (int64_t row = 0; row < strips.rows; row++)
        for (int64_t quad = 0; quad < strips.quads; quad++)
          for (int64_t kx = 0; kx < g.kernel_w; kx++)
            for (int64_t channel = block; channel < block + kBlock; channel++)
              for (int64_t i = 0; i < 4; i++) {
                const int64_t ky = above + quad * 4 + i - row * g.stride_h;
                const bool reached = ky >= 0 && ky < g.kernel_h && channel < g.in_channels;
                *to++ = reached ? filter[static_cast<size_t>((channel * g.kernel_h + ky) * g.kernel_w + kx)] : int8_t{0};
              }
  }

  void make_blocks(std::span<const int8_t> filter) {
    const ConvGeometry& g = parameters_.geometry;
    const std::vector<Rule> rules = finish_.rules();
    Form form = finish_.form();
    form.fast = form.fast && form.store != Store::fp32;
    std::vector<int64_t> sums(static_cast<size_t>(lanes_), 0), reach(static_cast<size_t>(lanes_), 0);
    for (size_t i = 0; i < filter.size(); i++) {
      const size_t channel = i / static_cast<size_t>(g.kernel_h * g.kernel_w);
      sums[channel] += filter[i];
      reach[channel] += 128 * std::abs(int64_t{filter[i]});
    }
    for (size_t first = 0; first < sums.size(); first += kBlock) {
      const Sums known{std::span(sums).subspan(first, kBlock), std::span(reach).subspan(first, kBlock)};
      Ending ending = choose_ending(form, known, part(rules, first, kBlock));
      const auto compute = [&](const Strips& strips) { return loops_.depthwise(g.kernel_w, g.stride_w, strips.quads, ending.form); };
      const DepthwiseFunction compute_row = compute(strips_), compute_low = low_.weights.empty() ? nullptr : compute(low_);
      const FinishConstants constants = ending.constants(finish_.constants(), static_cast<int64_t>(first));
      blocks_.push_back({std::move(ending), constants, compute_row, compute_low});
    }
  }

  using Quads = std::array<const int8_t* [4], 2>;

  // Input rows from first_row on, `reached` of them: others have weights of zero, and may not be in memory.
  Quads quads_of(const Strips& form, const TensorView& in, int64_t batch, int64_t first_row, int64_t reached, const int8_t* zeros) const {
    Quads quads{};
    for (int64_t i = 0; i < 4 * form.quads; i++) {
      const int64_t y = first_row + i;
      const bool inside = i < reached && y >= 0 && y < in.shape[2];
      quads[static_cast<size_t>(i / 4)][i % 4] = inside ? in.as<const int8_t>() + batch * in.batch_stride + y * in.row_stride : zeros;
    }
    return quads;
  }

  // One block or two, from `block` on.
  void transpose_blocks(const Strips& form, const TensorView& in, const Layout& layout, const Quads& quads, int64_t block, bool twice,
                        int8_t* columns) const {
    const int64_t left = parameters_.pad_left(in.shape[3]);
    const int64_t count = std::max<int64_t>(0, std::min(in.shape[3], layout.columns - left));
    for (int64_t quad = 0; quad < form.quads; quad++) {
      const auto& from = quads[static_cast<size_t>(quad)];
      const int8_t* const rows[4] = {from[0] + block, from[1] + block, from[2] + block, from[3] + block};
      loops_.transpose_quads(rows, in.pixel_stride, count, columns + (quad * layout.columns + left) * kQuadBytes, twice,
                             layout.block_bytes);
    }
  }

  void run_strip(const Strips& form, const TensorView& in, std::span<const TensorView> outputs, const Layout& layout, int64_t batch,
                 int64_t y, std::byte* memory) const {
    const ConvGeometry& g = parameters_.geometry;
    const bool low = &form == &low_;
    const int64_t height = outputs[0].shape[2], rows = std::min(form.rows, height - y);
    auto* columns = reinterpret_cast<int8_t*>(memory);
    const auto* zeros = reinterpret_cast<const int8_t*>(memory + layout.columns_bytes);
    std::array<ConvFinish::Row, kLowRows> out;
    for (size_t r = 0; r < static_cast<size_t>(rows); r++)
      out[r] = finish_.row(outputs, batch * height + y + static_cast<int64_t>(r),
                           memory + layout.columns_bytes + layout.zeros_bytes + r * layout.row_bytes);
    const int64_t first_row = low ? 0 : y * g.stride_h - parameters_.pad_top(in.shape[2]);
    const int64_t reached = low ? in.shape[2] : (rows - 1) * g.stride_h + g.kernel_h;
    const Quads quads = quads_of(form, in, batch, first_row, reached, zeros);
    const int64_t width = outputs[0].shape[3];
    for (int64_t block = 0; block < lanes_; block += 2 * kBlock) {
      const bool twice = block + kBlock < lanes_;
      transpose_blocks(form, in, layout, quads, block, twice, columns);
      compute_block(form, out, rows, layout, block, width, columns);
      if (twice) compute_block(form, out, rows, layout, block + kBlock, width, columns + layout.block_bytes);
    }
    for (int64_t r = 0; r < rows; r++) finish_.complete(out[static_cast<size_t>(r)], outputs, batch * height + y + r);
  }

  void compute_block(const Strips& form, const std::array<ConvFinish::Row, kLowRows>& out, int64_t rows, const Layout& layout,
                     int64_t block, int64_t width, const int8_t* columns) const {
    const int64_t row_weights = form.quads * parameters_.geometry.kernel_w * kQuadBytes;
    const Block& channels = blocks_[static_cast<size_t>(block / kBlock)];
    const DepthwiseFunction compute = &form == &low_ ? channels.compute_low : channels.compute_row;
    DepthwiseRow row{.columns = columns,
                     .quad_step = layout.columns * kQuadBytes,
                     .weights = form.weights.data() + block / kBlock * form.rows * row_weights,
                     .start = channels.ending.start.data(),
                     .out = nullptr,
                     .out_step = 0,
                     .width = width,
                     .form = channels.ending.form};
    for (int64_t r = 0; r < rows; r++, row.weights += row_weights) {
      const ConvFinish::Row& to = out[static_cast<size_t>(r)];
      row.out = to.data + block * result_bytes(row.form.store);
      row.out_step = to.step;
      compute(row, channels.constants);
    }
  }

  std::string name_ = kernel_name("depthwise_conv2d.int8");
  const InnerLoops& loops_ = inner_loops();
  ConvParameters parameters_;
  size_t input_;
  int64_t lanes_;
  Strips strips_;
  Strips low_{.quads = 1, .rows = kLowRows, .weights = {}};  // for maps of up to kLowRows rows; without weights there is no such form
  ConvFinish finish_;
  std::vector<Block> blocks_;
};

bool is_step(int64_t stride) { return stride == 1 || stride == 2; }

}  // namespace

bool accepts_depthwise(const graph::Node& node, const graph::Graph& graph) {
  if (node.precision != graph::kInt8Precision) return false;
  const ConvParameters parameters = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = parameters.geometry;
  return g.groups == g.in_channels && g.groups == g.out_channels && g.in_channels > 4 && g.kernel_h == g.kernel_w &&
         (g.kernel_h == 3 || g.kernel_h == 5) && is_step(g.stride_h) && is_step(g.stride_w) && g.dilation_h == 1 && g.dilation_w == 1 &&
         ConvFinish::accepts(node, graph, parameters, {});
}

std::unique_ptr<Kernel> create_depthwise(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Depthwise>(node, graph, generic::conv_parameters(node, graph, false));
}

}  // namespace edgeocr::kernels::int8
