// conv2d_transpose_pair, fp32, with one output channel: the head of the detector, per pixel of its input a network of two layers.
//
// The first convolution makes 2x2 hidden pixels, the second 2x2 pixels of each. No two taps meet, so both are matrix products: of the
// input's pixels with the taps side by side, then of all hidden pixels with the other taps. The hidden pixels of a piece of a row stay
// in the L1 cache.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/conv2d_transpose_pair.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/x86/finish_f32.h"
#include "kernels/x86/gemm_f32.h"
#include "kernels/x86/kernels_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

constexpr int64_t kTaps = 4;     // of either convolution: [dy][dx]
constexpr int64_t kColumns = 8;  // of the second product: the taps and what a vector has beyond them
constexpr int64_t kPiece = 24;   // pixels of the input at a time

class TransposePairF32 : public Kernel {
 public:
  TransposePairF32(const graph::Node& node, const graph::Graph& graph)
      : input_(generic::input_index(node, "Input")), channels_(generic::constant_input(node, graph, "Filter", 0).shape[0]),
        hidden_lanes_(pixel_stride_of(generic::constant_input(node, graph, "Filter", 0).shape[1])),
        finish_(generic::bias_or_zeros(generic::part_of_pair(node, 1), graph, 1), generic::conv_activation(node), parse_tail(node, graph)),
        first_(first_gemm(generic::constant_input(node, graph, "Filter", 0))),
        second_(second_gemm(generic::constant_input(node, graph, "Filter", 1))), second_bias_(kColumns, finish_.constants().bias[0]) {
    std::vector<float> bias =
        generic::bias_or_zeros(generic::part_of_pair(node, 0), graph, generic::constant_input(node, graph, "Filter", 0).shape[1]);
    bias.resize(static_cast<size_t>(hidden_lanes_), 0.0f);
    for (int64_t tap = 0; tap < kTaps; tap++) first_bias_.insert(first_bias_.end(), bias.begin(), bias.end());
  }

  std::string_view name() const override { return "x86.conv2d_transpose_pair.fp32"; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return kTaps; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs[input_]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const Shape expected{in.shape[0], 1, 4 * in.shape[2], 4 * in.shape[3]};
    if (in.shape[1] != channels_ || !(out.shape == expected)) {
      fail("conv2d_transpose_pair: input is %s, output %s, expected %lld channels and %s", in.shape.str().c_str(), out.shape.str().c_str(),
           static_cast<long long>(channels_), expected.str().c_str());
    }
    generic::parallel_rows(context, out.shape[0], out.shape[2], 4, [&](int64_t begin, int64_t end, int worker) {
      auto* hidden = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * worker_bytes(in));
      float *taps = hidden + kPiece * kTaps * hidden_lanes_, *rows = taps + kPiece * kTaps * kColumns, *other = rows + 16 * in.shape[3];
      for (int64_t line = begin; line < end; line++) {
        for (int64_t x = 0; x < in.shape[3]; x += kPiece) run_piece(in, line, x, std::min(kPiece, in.shape[3] - x), hidden, taps, rows);
        // Four rows of outputs follow each other.
        finish_.run_single(rows, other, 4 * line * out.shape[3], 4 * out.shape[3], inputs, outputs);
      }
    });
  }

 private:
  // Hidden pixels and second products of a piece, then four rows of outputs and as much to work on.
  size_t worker_bytes(const TensorView& in) const {
    return align_up(static_cast<size_t>(kPiece * kTaps * (hidden_lanes_ + kColumns) + 2 * 16 * in.shape[3]) * sizeof(float));
  }

  // filter: [I, H, 2, 2]; columns [tap][hidden channel]
  GemmF32 first_gemm(const graph::Constant& filter) const {
    const auto values = filter.as<float>();
    const int64_t hidden = filter.shape[1];
    const auto weight = [&](int64_t, int64_t c, int64_t column) {
      const int64_t tap = column / hidden_lanes_, h = column % hidden_lanes_;
      return c < channels_ && h < hidden ? values[static_cast<size_t>((c * hidden + h) * kTaps + tap)] : 0.0f;
    };
    return {1, pixel_stride_of(channels_), kTaps * hidden_lanes_, {FormF32::Act::relu, false}, weight};
  }

  // filter: [H, 1, 2, 2]
  GemmF32 second_gemm(const graph::Constant& filter) const {
    const auto values = filter.as<float>();
    const auto weight = [&](int64_t, int64_t h, int64_t tap) {
      return h < filter.shape[0] && tap < kTaps ? values[static_cast<size_t>(h * kTaps + tap)] : 0.0f;
    };
    return {1, hidden_lanes_, kColumns, {}, weight};
  }

  // `count` pixels of the input from x on, in row `line` counted over the batch.
  void run_piece(const TensorView& in, int64_t line, int64_t x, int64_t count, float* hidden, float* taps, float* rows) const {
    RowF32 first;
    first.segments[0] =
        in.as<const float>() + line / in.shape[2] * in.batch_stride + line % in.shape[2] * in.row_stride + x * in.pixel_stride;
    first.pixel_step = in.pixel_stride;
    first.pixels = count;
    first.out = hidden;
    first.out_step = kTaps * hidden_lanes_;
    first_.run(first, {.bias = first_bias_.data()});
    RowF32 second;
    second.segments[0] = hidden;
    second.pixel_step = hidden_lanes_;
    second.pixels = kTaps * count;
    second.out = taps;
    second.out_step = kColumns;
    second_.run(second, {.bias = second_bias_.data()});
    const int64_t width = 4 * in.shape[3];
    for (int64_t i = 0; i < count; i++)
      for (int64_t tap = 0; tap < kTaps; tap++, taps += kColumns) {
        float* to = rows + tap / 2 * 2 * width + 4 * (x + i) + tap % 2 * 2;
        std::copy_n(taps, 2, to);
        std::copy_n(taps + 2, 2, to + width);
      }
  }

  size_t input_;
  int64_t channels_, hidden_lanes_;
  FinishF32 finish_;
  GemmF32 first_, second_;
  std::vector<float> first_bias_;   // four times, side by side
  std::vector<float> second_bias_;  // of every column the same
};

bool in_one_go(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant& one = generic::constant_input(node, graph, "Filter", 0);
  const graph::Constant& other = generic::constant_input(node, graph, "Filter", 1);
  const bool fp32 = one.dtype == DataType::f32 && other.dtype == DataType::f32 && one.shape.rank() == 4 && other.shape.rank() == 4;
  if (!fp32 || one.shape[1] != other.shape[0]) return false;
  const auto is_doubling = [](const Shape& filter) { return filter[2] == 2 && filter[3] == 2; };
  return is_doubling(one.shape) && is_doubling(other.shape) && one.shape[0] > 1 && one.shape[1] > 4 && other.shape[1] == 1;
}

}  // namespace

std::unique_ptr<Kernel> create_conv2d_transpose_pair_f32(const graph::Node& node, const graph::Graph& graph) {
  if (in_one_go(node, graph)) return std::make_unique<TransposePairF32>(node, graph);
  return generic::create_in_sequence("x86.conv2d_transpose_pair.fp32.in_sequence", node, graph, kernel_sets());
}

}  // namespace edgeocr::kernels::x86
