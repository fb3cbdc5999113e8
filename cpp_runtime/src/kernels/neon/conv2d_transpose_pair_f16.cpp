// conv2d_transpose_pair, fp16: the head of the detector. Per pixel of its input the first convolution makes 2x2 pixels of some channels,
// the second 2x2 values of each: four times a product, relu, and a product with four columns.
//
// The lanes of a vector are eight pixels, so that the second product, of four columns, fills them as well as the first. What lies between
// the two stays in L1. A sigmoid that follows is done in fp32, in nets with int8, whose other results are no closer, in fp16.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/aligned.h"
#include "kernels/generic/conv2d_transpose_pair.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/neon/convert.h"
#include "kernels/neon/fast_sigmoid.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_node.h"
#include "kernels/pure_fp32.h"
#include "kernels/simd/vector.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int kPixels = Vec<Half>::kLanes, kTaps = 4;  // taps: [dy][dx], of each convolution
constexpr int kBlock = 24, kStep = 8;                  // hidden channels that are summed together: a block of 24, else steps of 8

// To Count sums the products of x with as many lanes of w, from First on.
template <int First, int Count> [[gnu::always_inline]] inline void add_products(float16x8_t* sums, float16x8_t x, float16x8_t w) {
  *sums = Vec<Half>::fma<First>(*sums, x, w);
  if constexpr (Count > 1) add_products<First + 1, Count - 1>(sums + 1, x, w);
}

// Products of `columns` hidden channels with eight pixels, and relu. pixels: [channel][8 pixels]; weights: [channel][Columns];
// bias: [Columns][8 times the same]; out: [Columns][tap][8 pixels], of one tap.
template <int Columns>
[[gnu::always_inline]] inline void compute_hidden(const Half* pixels, int64_t channels, const Half* weights, const Half* bias, Half* out) {
  float16x8_t sums[Columns];
#pragma clang loop unroll(full)
  for (int i = 0; i < Columns; i++) sums[i] = load_again(bias + i * kPixels);
#pragma clang loop unroll(disable)
  for (int64_t c = 0; c < channels; c++, pixels += kPixels, weights += Columns) {
    const float16x8_t x = vld1q_f16(pixels);
#pragma clang loop unroll(full)
    for (int i = 0; i < Columns; i += kStep) {
      const float16x8_t w = vld1q_f16(weights + i);
      add_products<0, kStep>(sums + i, x, w);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < Columns; i++) vst1q_f16(out + i * kTaps * kPixels, vmaxnmq_f16(sums[i], vdupq_n_f16(0)));
}

using Outputs = float16x8_t[kTaps][kTaps];  // [tap of the first][tap of the second]: eight pixels

// hidden: [channel][tap][8 pixels], an even number of channels; weights: [channel][4]
[[gnu::always_inline]] inline void compute_outputs(const Half* hidden, int64_t channels, const Half* weights, const Half* bias,
                                                   Outputs& sums) {
#pragma clang loop unroll(full)
  for (int tap = 0; tap < kTaps; tap++)
#pragma clang loop unroll(full)
    for (int i = 0; i < kTaps; i++) sums[tap][i] = load_again(bias);
#pragma clang loop unroll(disable)
  for (int64_t c = 0; c < channels; c += 2, hidden += 2 * kTaps * kPixels, weights += 2 * kTaps) {
    const float16x8_t w = vld1q_f16(weights);
#pragma clang loop unroll(full)
    for (int tap = 0; tap < kTaps; tap++) {
      const float16x8_t x = vld1q_f16(hidden + tap * kPixels);
      add_products<0, kTaps>(sums[tap], x, w);
    }
#pragma clang loop unroll(full)
    for (int tap = 0; tap < kTaps; tap++) {
      const float16x8_t x = vld1q_f16(hidden + (kTaps + tap) * kPixels);
      add_products<kTaps, kTaps>(sums[tap], x, w);
    }
  }
}

// Eight pixels of eight channels to [channel][8 pixels].
[[gnu::always_inline]] inline void transpose(const std::array<const Half*, kPixels>& pixels, int64_t channel, Half* out) {
  float16x8_t from[kPixels], to[kPixels];
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; p++) from[p] = vld1q_f16(pixels[static_cast<size_t>(p)] + channel);
#pragma clang loop unroll(full)
  for (int round = 0; round < 3; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      to[2 * i] = vzip1q_f16(from[i], from[i + 4]);
      to[2 * i + 1] = vzip2q_f16(from[i], from[i + 4]);
    }
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels; p++) from[p] = to[p];
  }
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; p++) vst1q_f16(out + p * kPixels, from[p]);
}

// Four columns of eight pixels to 32 values of a row.
[[gnu::always_inline]] inline void store_row(float16x8_t a, float16x8_t b, float16x8_t c, float16x8_t d, Half* out) {
  const float16x8_t ac[2] = {vzip1q_f16(a, c), vzip2q_f16(a, c)}, bd[2] = {vzip1q_f16(b, d), vzip2q_f16(b, d)};
#pragma clang loop unroll(full)
  for (int half = 0; half < 2; half++) {
    vst1q_f16(out + 16 * half, vzip1q_f16(ac[half], bd[half]));
    vst1q_f16(out + 16 * half + 8, vzip2q_f16(ac[half], bd[half]));
  }
}

class TransposePairF16 : public Kernel {
 public:
  TransposePairF16(const graph::Node& node, const graph::Graph& graph)
      : input_(generic::input_index(node, "Input")), channels_(generic::constant_input(node, graph, "Filter", 0).shape[0]),
        hidden_(pixel_stride_of(generic::constant_input(node, graph, "Filter", 0).shape[1])),
        finish_(finish_of<Half>(generic::part_of_pair(node, 1), graph, 1)), second_bias_(kPixels, finish_.constants().bias[0]) {
    if (generic::ends_plainly(node, graph) && parse_tail(node, graph).activation)
      sigmoid_ = is_pure_fp32(graph) ? static_cast<Sigmoid>(fast_sigmoid) : half_sigmoid;
    pack_first(generic::constant_input(node, graph, "Filter", 0));
    pack_second(generic::constant_input(node, graph, "Filter", 1));
    const int64_t hidden = generic::constant_input(node, graph, "Filter", 0).shape[1];
    std::vector<float> bias = generic::bias_or_zeros(generic::part_of_pair(node, 0), graph, hidden);
    bias.resize(static_cast<size_t>(hidden_), 0.0f);
    for (int64_t h = 0; h < hidden_; h++) bias_.insert(bias_.end(), kPixels, static_cast<Half>(bias[static_cast<size_t>(h)]));
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
      auto* sums = reinterpret_cast<Half*>(memory);
      auto *values = reinterpret_cast<float*>(memory + rows_bytes<Half>(in)), *other = values + rows_bytes<float>(in) / sizeof(float);
      auto* between = reinterpret_cast<Half*>(memory + rows_bytes<Half>(in) + 2 * rows_bytes<float>(in));
      for (int64_t line = begin; line < end; line++) {
        const Half* row = in.as<const Half>() + line / height * in.batch_stride + line % height * in.row_stride;
        for (int64_t x = 0; x < width; x += kPixels)
          run_pixels(row + x * in.pixel_stride, in.pixel_stride, std::min<int64_t>(kPixels, width - x), between, sums + 4 * x, 4 * width);
        const int64_t first = 4 * line * out.shape[3], count = 16 * width;  // four rows of outputs follow each other
        if (sigmoid_ != nullptr) {
          sigmoid_(sums, count, out.as<float>() + first);
          continue;
        }
        widen(sums, count, values);
        finish_.run_single(values, other, first, count, inputs, outputs);
      }
    });
  }

 private:
  using Sigmoid = void (*)(const Half* x, int64_t n, float* y);

  // Four rows of outputs.
  template <class T> static size_t rows_bytes(const TensorView& in) { return align_up(static_cast<size_t>(16 * in.shape[3]) * sizeof(T)); }
  size_t worker_bytes(const TensorView& in) const {
    const int64_t between = kPixels * (in.pixel_stride + kTaps * hidden_);
    return align_up(rows_bytes<Half>(in) + 2 * rows_bytes<float>(in) + static_cast<size_t>(between) * sizeof(Half));
  }

  // Hidden channels from `first` on that are summed together.
  int64_t columns_from(int64_t first) const { return hidden_ - first >= kBlock ? kBlock : kStep; }

  // [tap][columns_from()][input channel][column] of a filter [I, H, 2, 2]
  void pack_first(const graph::Constant& filter) {
    const auto values = filter.as<float>();
    const int64_t hidden = filter.shape[1];
    for (int64_t tap = 0; tap < kTaps; tap++)
      for (int64_t first = 0; first < hidden_; first += columns_from(first))
        for (int64_t c = 0; c < channels_; c++)
          for (int64_t h = first; h < first + columns_from(first); h++)
            first_.push_back(h < hidden ? static_cast<Half>(values[static_cast<size_t>((c * hidden + h) * kTaps + tap)]) : Half{0});
  }
  // [hidden channel][tap] of a filter [H, 1, 2, 2]
  void pack_second(const graph::Constant& filter) {
    for (const float v : filter.as<float>()) second_.push_back(static_cast<Half>(v));
    second_.resize(static_cast<size_t>(hidden_ * kTaps), Half{0});
  }

  // 4x4 values per pixel, in four rows, of up to eight pixels.
  void run_pixels(const Half* pixels, ptrdiff_t step, int64_t count, Half* between, Half* values, int64_t values_row) const {
    std::array<const Half*, kPixels> each;
    for (int64_t p = 0; p < kPixels; p++) each[static_cast<size_t>(p)] = pixels + std::min(p, count - 1) * step;
    Half* hidden = between + kPixels * step;
    for (int64_t c = 0; c < channels_; c += kPixels) transpose(each, c, between + c * kPixels);
    const Half* weights = first_.data();
    for (int tap = 0; tap < kTaps; tap++)
      for (int64_t first = 0, columns = 0; first < hidden_; first += columns, weights += columns * channels_) {
        columns = columns_from(first);
        const Half* bias = bias_.data() + first * kPixels;
        Half* out = hidden + (first * kTaps + tap) * kPixels;
        if (columns == kBlock) compute_hidden<kBlock>(between, channels_, weights, bias, out);
        else compute_hidden<kStep>(between, channels_, weights, bias, out);
      }
    Outputs sums;
    compute_outputs(hidden, hidden_, second_.data(), second_bias_.data(), sums);
    const bool whole = count == kPixels;
    Half rows[kTaps][kTaps * kPixels];
    for (int64_t y = 0; y < kTaps; y++) {
      const auto &left = sums[y / 2 * 2], &right = sums[y / 2 * 2 + 1];
      const int64_t dy = y % 2 * 2;
      Half* to = whole ? values + y * values_row : rows[y];
      store_row(left[dy], left[dy + 1], right[dy], right[dy + 1], to);
      if (!whole) std::copy_n(to, 4 * count, values + y * values_row);
    }
  }

  size_t input_;
  int64_t channels_, hidden_;  // hidden_: padded to whole vectors
  Finish<Half> finish_;
  Sigmoid sigmoid_ = nullptr;  // null: finish_ does what follows
  std::vector<Half> first_, bias_, second_, second_bias_;
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
