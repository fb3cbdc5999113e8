// Depthwise int8 convolutions by SDOT over rows: four input rows of one channel side by side in a 32-bit lane.
//
// A strip is the output rows that 4 (kernel 3) or 8 (kernel 5) input rows are enough for. For each block of 8 channels the
// strip's columns are transposed once, four rows to two vectors of 4 channels x 4 rows; an output row is then kernel_w dot
// products per such quad of rows, with weights that are zero where the row's window does not reach.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/neon/conv_finish.h"
#include "kernels/neon/convolutions_i8.h"

namespace edgeocr::kernels::neon {

namespace {

using generic::ConvParameters;

constexpr int64_t kBlock = 8;        // channels
constexpr int64_t kQuadBytes = 32;   // a column of a block: [channel][row]
constexpr int64_t kMostColumns = 4;  // outputs computed together

// Four rows of kBlock channels, from pixel to pixel at `step`.
using RowPointers = std::array<const int8_t*, 4>;

int8x16_t load_block(const int8_t* p) { return vcombine_s8(vld1_s8(p), vdup_n_s8(0)); }

void transpose_columns(const RowPointers& rows, ptrdiff_t step, int64_t columns, int8_t* out) {
  const auto [a, b, c, d] = rows;
  for (int64_t x = 0; x < columns; x++, out += kQuadBytes) {
    const ptrdiff_t at = x * step;
    const int16x8_t ab = vreinterpretq_s16_s8(vzip1q_s8(load_block(a + at), load_block(b + at)));
    const int16x8_t cd = vreinterpretq_s16_s8(vzip1q_s8(load_block(c + at), load_block(d + at)));
    vst1q_s8(out, vreinterpretq_s8_s16(vzip1q_s16(ab, cd)));
    vst1q_s8(out + 16, vreinterpretq_s8_s16(vzip2q_s16(ab, cd)));
  }
}

// One row of outputs of a block.
struct BlockRow {
  const int8_t* columns;  // transposed, of the first quad
  ptrdiff_t quad_step;    // bytes to the next quad's
  const int8_t* weights;  // [quad][kernel column][2][16]
  const int32_t* start;   // of the sums of kBlock channels
  std::byte* out;
  ptrdiff_t out_step;
  int64_t width;
};

template <Form F>
[[gnu::always_inline]] inline void store_pair(const int32x4_t (&sums)[2][2], const FinishConstants& constants, std::byte* first,
                                              std::byte* second) {
  float32x4_t v[4];
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    const ptrdiff_t at = i % 2 * 4;
    const int32x4_t sum = sums[i / 2][i % 2];
    const float32x4_t scale = vld1q_f32(constants.scale + at);
    const float* bias = opaque(constants.bias) + at;
    if constexpr (F.store == Store::steps) v[i] = step<F.function>(sum, scale, bias, constants);
    else v[i] = finish<F>(requantise<true>(sum, scale, bias), nullptr, constants);
  }
  if constexpr (F.store == Store::fp32) {
    store<F>({v[0], v[1]}, first, constants.low);
    store<F>({v[2], v[3]}, second, constants.low);
  } else {
    const int8x16_t bytes = to_int8<F.store>(v[0], v[1], v[2], v[3], constants.low);
    vst1_s8(reinterpret_cast<int8_t*>(first), vget_low_s8(bytes));
    vst1_s8(reinterpret_cast<int8_t*>(second), vget_high_s8(bytes));
  }
}

template <int Kernel, int Stride, Form F> void compute_row(const BlockRow& given, const FinishConstants& given_constants) {
  constexpr int kQuads = Kernel == 3 ? 1 : 2;
  // Outputs that share the loads of columns; more pay off where there is much to do after the sums.
  constexpr int kColumns = Kernel == 5 && F.function == Function::hard_swish ? kMostColumns : 2;
  const BlockRow row = given;
  const FinishConstants constants = given_constants;
  int8x16_t weights[kQuads][Kernel][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < kQuads * Kernel * 2; i++) weights[i / 2 / Kernel][i / 2 % Kernel][i % 2] = vld1q_s8(row.weights + 16 * i);
  const int8_t* columns = row.columns;
  std::byte* out = row.out;
  for (int64_t x = 0; x < row.width; x += kColumns, columns += kColumns * Stride * kQuadBytes, out += kColumns * row.out_step) {
    int32x4_t sums[kColumns][2];
#pragma clang loop unroll(full)
    for (int i = 0; i < kColumns; i++) {
      const int32_t* start = opaque(row.start);
      sums[i][0] = vld1q_s32(start);
      sums[i][1] = vld1q_s32(start + 4);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < kQuads; q++)
#pragma clang loop unroll(full)
      for (int k = 0; k < Kernel + Stride * (kColumns - 1); k++) {
        const int8_t* column = columns + q * row.quad_step + k * kQuadBytes;
        const int8x16_t low = vld1q_s8(column), high = vld1q_s8(column + 16);
#pragma clang loop unroll(full)
        for (int i = 0; i < kColumns; i++) {
          const int tap = k - i * Stride;
          if (tap < 0 || tap >= Kernel) continue;
          sums[i][0] = vdotq_s32(sums[i][0], low, weights[q][tap][0]);
          sums[i][1] = vdotq_s32(sums[i][1], high, weights[q][tap][1]);
          // Keeps the compiler from computing one sum after the other, with everything spilled.
          asm volatile("" : "+w"(sums[i][0]), "+w"(sums[i][1]));
        }
      }
    // Outputs beyond the row go to a spare pixel: selects, where branches would part the block.
    alignas(16) std::byte spare[kBlock * sizeof(float)];
#pragma clang loop unroll(full)
    for (int i = 0; i < kColumns; i += 2) {
      std::byte* first = x + i < row.width ? out + i * row.out_step : spare;
      std::byte* second = x + i + 1 < row.width ? out + (i + 1) * row.out_step : spare;
      store_pair<F>({{sums[i][0], sums[i][1]}, {sums[i + 1][0], sums[i + 1][1]}}, constants, first, second);
    }
  }
}

alignas(16) constexpr int32_t kBiasedStart[kBlock] = {kSumStartBits, kSumStartBits, kSumStartBits, kSumStartBits,
                                                      kSumStartBits, kSumStartBits, kSumStartBits, kSumStartBits};

using RowFunction = void (*)(const BlockRow&, const FinishConstants&);

template <Form F> RowFunction choose_window(int64_t kernel, int64_t stride) {
  if (kernel == 3) return stride == 1 ? compute_row<3, 1, F> : compute_row<3, 2, F>;
  return stride == 1 ? compute_row<5, 1, F> : compute_row<5, 2, F>;
}

RowFunction choose(int64_t kernel, int64_t stride, Form form) {
  if (form == Form{Function::linear, Store::steps}) return choose_window<Form{Function::linear, Store::steps}>(kernel, stride);
  if (form == Form{Function::linear, Store::calib}) return choose_window<Form{Function::linear, Store::calib}>(kernel, stride);
  if (form == Form{Function::linear, Store::fp32}) return choose_window<Form{Function::linear, Store::fp32}>(kernel, stride);
  if (form == Form{Function::hard_swish, Store::steps}) return choose_window<Form{Function::hard_swish, Store::steps}>(kernel, stride);
  if (form == Form{Function::hard_swish, Store::calib}) return choose_window<Form{Function::hard_swish, Store::calib}>(kernel, stride);
  if (form == Form{Function::hard_swish, Store::fp32}) return choose_window<Form{Function::hard_swish, Store::fp32}>(kernel, stride);
  std::abort();
}

class DepthwiseI8 : public Kernel {
 public:
  DepthwiseI8(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters)
      : parameters_(parameters), input_(generic::input_index(node, "Input")), lanes_(pixel_stride_of(parameters.geometry.in_channels)),
        quads_(parameters.geometry.kernel_h == 3 ? 1 : 2),
        strip_rows_((4 * quads_ - parameters.geometry.kernel_h) / parameters.geometry.stride_h + 1), finish_(node, graph, parameters) {
    const auto filter = generic::constant_input(node, graph, "Filter").as<int8_t>();
    pack(filter);
    make_blocks(filter);
  }

  std::string_view name() const override { return "neon.depthwise_conv2d.int8.sdot"; }
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
      std::memset(memory, 0, layout.columns_bytes + layout.zeros_bytes);
      for (int64_t i = begin; i < end; i++) run_strip(in, outputs, layout, i / strips, i % strips * strip_rows_, memory);
    });
  }

 private:
  struct Block {
    RowFunction compute_row;
    std::optional<StepsTable> steps;
  };
  // Scratch memory of a worker: transposed columns, a row of zeros, rows of results.
  struct Layout {
    int64_t columns;  // of a quad
    size_t columns_bytes, zeros_bytes, row_bytes, rows;
    size_t bytes() const { return columns_bytes + zeros_bytes + rows * row_bytes; }
  };
  Layout layout_of(const TensorView& in, const TensorView& out) const {
    const ConvGeometry& g = parameters_.geometry;
    const int64_t computed = (out.shape[3] + kMostColumns - 1) / kMostColumns * kMostColumns;
    const int64_t columns = (computed - 1) * g.stride_w + g.kernel_w;
    return {.columns = columns,
            .columns_bytes = align_up(static_cast<size_t>(quads_ * columns * kQuadBytes)),
            .zeros_bytes = align_up(static_cast<size_t>(in.shape[3] * in.pixel_stride)),
            .row_bytes = finish_.scratch_bytes(out),
            .rows = static_cast<size_t>(strip_rows_)};
  }

  // [block][row of the strip][quad][kernel column][2][4 channels][4 rows]
  void pack(std::span<const int8_t> filter) {
    const ConvGeometry& g = parameters_.geometry;
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

  // How each block of channels ends: the short way where all of them have a proof.
  void make_blocks(std::span<const int8_t> filter) {
    const ConvGeometry& g = parameters_.geometry;
    const std::vector<Rule> rules = finish_.rules();
    std::vector<int64_t> reach(static_cast<size_t>(lanes_), 0);
    for (size_t i = 0; i < filter.size(); i++)
      reach[i / static_cast<size_t>(g.kernel_h * g.kernel_w)] += 128 * std::abs(int64_t{filter[i]});
    for (int64_t block = 0; block < lanes_; block += kBlock) {
      Form form = finish_.form();
      if (form.store == Store::bounded_calib) form.store = Store::calib;  // steps as a rule
      std::optional<StepsTable> steps;
      const auto first = static_cast<size_t>(block);
      if (!rules.empty()) steps = find_steps(std::span(rules).subspan(first, kBlock), std::span(reach).subspan(first, kBlock));
      if (steps) form.store = Store::steps;
      blocks_.push_back({choose(g.kernel_w, g.stride_w, form), std::move(steps)});
    }
  }

  FinishConstants constants_of(int64_t block) const {
    FinishConstants constants = finish_.constants();
    constants.scale += block;
    constants.bias += block;
    const std::optional<StepsTable>& steps = blocks_[static_cast<size_t>(block / kBlock)].steps;
    return steps ? with_steps(constants, *steps) : constants;
  }

  // Input rows from first_row on, `reached` of them: others have weights of zero, and may not be in memory.
  void transpose_block(const TensorView& in, const Layout& layout, int64_t batch, int64_t first_row, int64_t reached, int64_t block,
                       const int8_t* zeros, int8_t* columns) const {
    const int64_t left = parameters_.pad_left(in.shape[3]);
    const int64_t count = std::max<int64_t>(0, std::min(in.shape[3], layout.columns - left));
    for (int64_t quad = 0; quad < quads_; quad++) {
      RowPointers rows;
      for (size_t i = 0; i < rows.size(); i++) {
        const int64_t offset = quad * 4 + static_cast<int64_t>(i), y = first_row + offset;
        const bool inside = offset < reached && y >= 0 && y < in.shape[2];
        rows[i] = inside ? in.as<const int8_t>() + batch * in.batch_stride + y * in.row_stride + block : zeros;
      }
      transpose_columns(rows, in.pixel_stride, count, columns + (quad * layout.columns + left) * kQuadBytes);
    }
  }

  void run_strip(const TensorView& in, std::span<const TensorView> outputs, const Layout& layout, int64_t batch, int64_t y,
                 std::byte* memory) const {
    const ConvGeometry& g = parameters_.geometry;
    const int64_t height = outputs[0].shape[2], rows = std::min(strip_rows_, height - y);
    auto* columns = reinterpret_cast<int8_t*>(memory);
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
      const Block& kind = blocks_[static_cast<size_t>(block / kBlock)];
      const FinishConstants constants = constants_of(block);
      const int32_t* start = kind.steps ? kind.steps->start.data() : kBiasedStart;
      const int8_t* weights = weights_.data() + block / kBlock * strip_rows_ * row_weights;
      for (int64_t r = 0; r < rows; r++) {
        const ConvFinish::Row& row = out[static_cast<size_t>(r)];
        kind.compute_row({columns, layout.columns * kQuadBytes, weights + r * row_weights, start, row.data + block * element, row.step,
                          outputs[0].shape[3]},
                         constants);
      }
    }
    for (int64_t r = 0; r < rows; r++) finish_.complete(out[static_cast<size_t>(r)], outputs, batch * height + y + r);
  }

  ConvParameters parameters_;
  size_t input_;
  int64_t lanes_, quads_, strip_rows_;
  ConvFinish finish_;
  std::vector<int8_t> weights_;
  std::vector<Block> blocks_;
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

}  // namespace edgeocr::kernels::neon
