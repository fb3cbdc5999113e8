// conv2d_transpose_pair, fp16: the head of the detector. Per pixel of its input the first convolution makes 2x2 pixels of some channels,
// the second 2x2 values of each. So it is a product with four groups of columns, relu, and per group a product with four columns; what
// lies between stays in L1. What follows (sigmoid) is done in fp32.
#include <algorithm>
#include <memory>
#include <vector>

#include "base/aligned.h"
#include "kernels/generic/conv2d_transpose_pair.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_node.h"
#include "kernels/neon/gemm.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int64_t kTaps = 4;     // [dy][dx]
constexpr int64_t kPixels = 32;  // of the input, at a time
constexpr int64_t kTapLanes = Vec<Half>::kLanes;

class TransposePairF16 : public Kernel {
 public:
  TransposePairF16(const graph::Node& node, const graph::Graph& graph)
      : input_(generic::input_index(node, "Input")), hidden_(generic::constant_input(node, graph, "Filter", 0).shape[1]),
        finish_(finish_of<Half>(generic::part_of_pair(node, 1), graph, 1)),
        first_(first_product(generic::constant_input(node, graph, "Filter", 0))),
        second_(second_product(generic::constant_input(node, graph, "Filter", 1))), second_bias_(kTapLanes, finish_.constants().bias[0]) {
    std::vector<float> bias = generic::bias_or_zeros(generic::part_of_pair(node, 0), graph, hidden_);
    bias.resize(static_cast<size_t>(pixel_stride_of(hidden_)), 0.0f);
    for (int64_t tap = 0; tap < kTaps; tap++) bias_.insert(bias_.end(), bias.begin(), bias.end());
  }

  std::string_view name() const override { return "neon.conv2d_transpose_pair.fp16"; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return 4; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs[input_]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = in.shape[2], width = in.shape[3];
    generic::parallel_rows(context, out.shape[0], out.shape[2], 4, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * worker_bytes(in);
      auto *values = reinterpret_cast<float*>(memory), *other = values + rows_bytes(in) / sizeof(float);
      auto* between = reinterpret_cast<Half*>(memory + 2 * rows_bytes(in));
      for (int64_t line = begin; line < end; line++) {
        const Half* row = in.as<const Half>() + line / height * in.batch_stride + line % height * in.row_stride;
        for (int64_t x = 0; x < width; x += kPixels)
          run_pixels(row + x * in.pixel_stride, in.pixel_stride, std::min(kPixels, width - x), between, values + 4 * x, 4 * width);
        // Four rows of outputs follow each other.
        finish_.run_single(values, other, 4 * line * out.shape[3], 16 * width, inputs, outputs);
      }
    });
  }

 private:
  int64_t hidden_lanes() const { return pixel_stride_of(hidden_); }
  static size_t rows_bytes(const TensorView& in) { return align_up(static_cast<size_t>(16 * in.shape[3]) * sizeof(float)); }
  size_t worker_bytes(const TensorView& in) const {
    return align_up(2 * rows_bytes(in) + static_cast<size_t>(kPixels * kTaps * (hidden_lanes() + kTapLanes)) * sizeof(Half));
  }

  // Columns [tap][hidden channel] of a filter [I, H, 2, 2].
  Gemm<Half> first_product(const graph::Constant& filter) const {
    const auto values = filter.as<float>();
    const auto weight = [&](int64_t, int64_t c, int64_t column) {
      const int64_t tap = column / hidden_lanes(), h = column % hidden_lanes();
      return c < filter.shape[0] && h < hidden_ ? values[static_cast<size_t>((c * hidden_ + h) * kTaps + tap)] : 0.0f;
    };
    return {1, pixel_stride_of(filter.shape[0]), kTaps * hidden_lanes(), {FloatForm::Act::relu, false, false}, weight};
  }
  // Columns [tap] of a filter [H, 1, 2, 2].
  Gemm<Half> second_product(const graph::Constant& filter) const {
    const auto values = filter.as<float>();
    const auto weight = [&](int64_t, int64_t h, int64_t tap) {
      return h < hidden_ && tap < kTaps ? values[static_cast<size_t>(h * kTaps + tap)] : 0.0f;
    };
    return {1, hidden_lanes(), kTapLanes, finish_.bias_alone(), weight};
  }

  // 4x4 values per pixel, in four rows.
  void run_pixels(const Half* pixels, ptrdiff_t step, int64_t count, Half* hidden, float* values, int64_t values_row) const {
    Half* taps = hidden + kPixels * kTaps * hidden_lanes();
    Row<Half> first;
    first.segments[0] = pixels;
    first.pixel_step = step;
    first.pixels = count;
    first.out = hidden;
    first.out_step = kTaps * hidden_lanes();
    first_.run(first, {.bias = bias_.data()});
    Row<Half> second;
    second.segments[0] = hidden;
    second.pixel_step = hidden_lanes();
    second.pixels = kTaps * count;
    second.out = taps;
    second.out_step = kTapLanes;
    second_.run(second, {.bias = second_bias_.data()});
    for (int64_t p = 0; p < count; p++)
      for (int64_t dy = 0; dy < 2; dy++) {
        const Half* left = taps + (p * kTaps + 2 * dy) * kTapLanes;
        const float64x2_t a = vreinterpretq_f64_f32(vcvt_f32_f16(vld1_f16(left)));
        const float64x2_t b = vreinterpretq_f64_f32(vcvt_f32_f16(vld1_f16(left + kTapLanes)));
        float* out = values + 2 * dy * values_row + 4 * p;
        vst1q_f32(out, vreinterpretq_f32_f64(vzip1q_f64(a, b)));
        vst1q_f32(out + values_row, vreinterpretq_f32_f64(vzip2q_f64(a, b)));
      }
  }

  size_t input_;
  int64_t hidden_;
  Finish<Half> finish_;
  Gemm<Half> first_, second_;
  std::vector<Half> bias_, second_bias_;  // for every tap
};

bool is_doubling(const graph::Constant* filter) {
  return filter != nullptr && filter->dtype == DataType::f32 && filter->shape.rank() == 4 && filter->shape[2] == 2 && filter->shape[3] == 2;
}

}  // namespace

bool accepts_conv2d_transpose_pair_f16(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant *first = graph.constant(node.input("Filter", 0)), *second = graph.constant(node.input("Filter", 1));
  if (!computes_in<Half>(node) || !is_doubling(first) || !is_doubling(second)) return false;
  const auto whole = [](int64_t channels) { return pixel_stride_of(channels) % Vec<Half>::kLanes == 0; };
  return whole(first->shape[0]) && whole(first->shape[1]) && first->shape[1] == second->shape[0] && second->shape[1] == 1;
}

std::unique_ptr<Kernel> create_conv2d_transpose_pair_f16(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<TransposePairF16>(node, graph);
}

}  // namespace edgeocr::kernels::neon
