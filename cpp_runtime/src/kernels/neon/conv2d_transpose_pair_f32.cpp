// conv2d_transpose_pair, fp32: the head of the detector, per pixel of its input a network of two layers.
//
// The first convolution makes 2x2 pixels of 24 channels, "hidden", the second 2x2 pixels of each. So a pixel is a product with 4 x 24
// columns, relu, and per group of 24 a product with 4 columns; hidden values stay in L1. Sums take their products in the order of
// channels. In nets with int8 they begin at zero, biases follow, sigmoid is math.h's: the bits are those of the plain kernels, one after
// the other. In others they begin with the biases, and sigmoid does without a division, within 1e-6.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/conv2d_transpose_pair.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/math.h"
#include "kernels/neon/fast_sigmoid.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/pure_fp32.h"
#include "kernels/simd/vector.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int64_t kHidden = 24;
constexpr int kVectors = kHidden / 4, kPixels = 4, kTaps = 4;  // taps: [dy][dx]
constexpr std::array<float, kHidden> kZeros{};

// Four pixels, four taps each.
using Hidden = float[kTaps][kPixels][kHidden];

template <int Lane, int P, int Q>
[[gnu::always_inline]] inline void multiply_lane(float32x4_t (&sums)[P][Q], const float32x4_t (&x)[P], const float* weights) {
#pragma clang loop unroll(full)
  for (int q = 0; q < Q; q++) {
    const float32x4_t w = vld1q_f32(weights + 4 * q);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) sums[p][q] = vfmaq_laneq_f32(sums[p][q], w, x[p], Lane);
  }
}

// weights: [channel][kHidden] of one tap.
template <bool Plain>
void compute_hidden(const std::array<const float*, kPixels>& pixels, int64_t channels, const float* weights, const float* bias,
                    float* out) {
  float32x4_t sums[kPixels][kVectors];
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; p++) {
    const float* begin = unknown_address(Plain ? kZeros.data() : bias);
#pragma clang loop unroll(full)
    for (int q = 0; q < kVectors; q++) sums[p][q] = vld1q_f32(begin + 4 * q);
  }
  for (int64_t c = 0; c < channels; c += 4, weights += 4 * kHidden) {
    float32x4_t x[kPixels];
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels; p++) x[p] = vld1q_f32(pixels[static_cast<size_t>(p)] + c);
    multiply_lane<0>(sums, x, weights);
    multiply_lane<1>(sums, x, weights + kHidden);
    multiply_lane<2>(sums, x, weights + 2 * kHidden);
    multiply_lane<3>(sums, x, weights + 3 * kHidden);
  }
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; p++)
#pragma clang loop unroll(full)
    for (int q = 0; q < kVectors; q++) {
      const float32x4_t sum = Plain ? vaddq_f32(sums[p][q], vld1q_f32(bias + 4 * q)) : sums[p][q];
      vst1q_f32(out + p * kHidden + 4 * q, vmaxnmq_f32(sum, vdupq_n_f32(0)));
    }
}

// The 2x2 outputs [dy][dx] of every tap and pixel. weights: [channel][4]; begin: a vector of what sums begin with.
[[gnu::always_inline]] inline void compute_outputs(const Hidden& hidden, const float* weights, const float* begin,
                                                   float32x4_t (&sums)[kTaps * kPixels][1]) {
  constexpr int kAll = kTaps * kPixels;
#pragma clang loop unroll(full)
  for (int i = 0; i < kAll; i++) sums[i][0] = load_again(begin);
  const float* from = &hidden[0][0][0];
#pragma clang loop unroll(disable)
  for (int64_t c = 0; c < kHidden; c += 4, weights += 16) {
    const float32x4_t w[4] = {vld1q_f32(weights), vld1q_f32(weights + 4), vld1q_f32(weights + 8), vld1q_f32(weights + 12)};
#pragma clang loop unroll(full)
    for (int first = 0; first < kAll; first += 8) {
      float32x4_t x[8];
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) x[i] = vld1q_f32(from + (first + i) * kHidden + c);
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) sums[first + i][0] = vfmaq_laneq_f32(sums[first + i][0], w[0], x[i], 0);
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) sums[first + i][0] = vfmaq_laneq_f32(sums[first + i][0], w[1], x[i], 1);
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) sums[first + i][0] = vfmaq_laneq_f32(sums[first + i][0], w[2], x[i], 2);
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) sums[first + i][0] = vfmaq_laneq_f32(sums[first + i][0], w[3], x[i], 3);
    }
  }
}

// math.h's exp_f32 and sigmoid_f32, four at a time. Where exp overflows, or x is not a number, bits are selected at the end.
[[gnu::always_inline]] inline float32x4_t sigmoid(float32x4_t x) {
  const float32x4_t round = vdupq_n_f32(12582912.0f), one = vdupq_n_f32(1.0f), highest = vdupq_n_f32(88.72283f);
  const float32x4_t negative = vnegq_f32(x);
  // Below the lowest, exp is so small that adding it to one does nothing.
  const float32x4_t v = vminnmq_f32(vmaxnmq_f32(negative, vdupq_n_f32(-87.33654f)), highest);
  const float32x4_t shifted = vaddq_f32(vmulq_f32(v, vdupq_n_f32(1.44269504f)), round);
  const float32x4_t n = vsubq_f32(shifted, round);
  const float32x4_t r = vsubq_f32(vsubq_f32(v, vmulq_f32(n, vdupq_n_f32(0.693359375f))), vmulq_f32(n, vdupq_n_f32(-2.12194440e-4f)));
  float32x4_t p = vdupq_n_f32(1.98412698e-4f);
  for (const float c : {1.38888889e-3f, 8.33333333e-3f, 4.16666667e-2f, 1.66666667e-1f, 0.5f})
    p = vaddq_f32(vmulq_f32(p, r), vdupq_n_f32(c));
  const float32x4_t e = vaddq_f32(one, vaddq_f32(r, vmulq_f32(vmulq_f32(r, r), p)));
  const int32x4_t bits = vaddq_s32(vreinterpretq_s32_f32(e), vshlq_n_s32(vreinterpretq_s32_f32(shifted), 23));
  const float32x4_t result = vdivq_f32(one, vaddq_f32(one, vreinterpretq_f32_s32(bits)));
  // Zero where exp overflows; NaN, for which no comparison holds, is left as it is.
  const float32x4_t bounded = vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(result), vcgtq_f32(negative, highest)));
  return vbslq_f32(vceqq_f32(x, x), bounded, x);
}

// In place; count: a multiple of four.
void activate(float* values, int64_t count) {
#pragma clang loop unroll_count(4)
  for (int64_t i = 0; i < count; i += 4) vst1q_f32(values + i, sigmoid(vld1q_f32(values + i)));
}

// Two rows of four outputs, of neighbouring taps.
[[gnu::always_inline]] inline void store_rows(float32x4_t left, float32x4_t right, float* to, int64_t row_stride) {
  const float64x2_t a = vreinterpretq_f64_f32(left), b = vreinterpretq_f64_f32(right);
  vst1q_f32(to, vreinterpretq_f32_f64(vzip1q_f64(a, b)));
  vst1q_f32(to + row_stride, vreinterpretq_f32_f64(vzip2q_f64(a, b)));
}

class TransposePairF32 : public Kernel {
 public:
  TransposePairF32(const graph::Node& node, const graph::Graph& graph)
      : input_(generic::input_index(node, "Input")), channels_(generic::constant_input(node, graph, "Filter", 0).shape[0]),
        sigmoid_(parse_tail(node, graph).activation.has_value()), plain_(!is_pure_fp32(graph)) {
    const graph::Constant& filter = generic::constant_input(node, graph, "Filter", 0);                              // [I, H, 2, 2]
    const auto first = filter.as<float>(), second = generic::constant_input(node, graph, "Filter", 1).as<float>();  // [H, 1, 2, 2]
    const int64_t hidden = filter.shape[1], lanes = pixel_stride_of(channels_);
    first_weights_.resize(static_cast<size_t>(kTaps * lanes * kHidden), 0.0f);
    for (int64_t c = 0; c < channels_; c++)
      for (int64_t h = 0; h < hidden; h++)
        for (int64_t tap = 0; tap < kTaps; tap++)
          first_weights_[static_cast<size_t>((tap * lanes + c) * kHidden + h)] = first[static_cast<size_t>((c * hidden + h) * kTaps + tap)];
    second_weights_.assign(second.begin(), second.end());
    second_weights_.resize(kHidden * kTaps, 0.0f);
    bias_ = generic::bias_or_zeros(generic::part_of_pair(node, 0), graph, hidden);
    bias_.resize(kHidden, 0.0f);
    second_bias_.fill(generic::bias_or_zeros(generic::part_of_pair(node, 1), graph, 1)[0]);
  }

  std::string_view name() const override { return "neon.conv2d_transpose_pair.fp32"; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return 4; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    generic::expect_dtype(name(), "input", in, DataType::f32);
    generic::expect_dtype(name(), "output", out, DataType::f32);
    const Shape expected{in.shape[0], 1, 4 * in.shape[2], 4 * in.shape[3]};
    if (in.shape[1] != channels_ || !(out.shape == expected))
      fail("conv2d_transpose_pair: input is %s, output %s, expected %s", in.shape.str().c_str(), out.shape.str().c_str(),
           expected.str().c_str());
    generic::parallel_rows(context, out.shape[0], out.shape[2], 4, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t batch = row / in.shape[2], y = row % in.shape[2];
        const auto run_row = plain_ ? &TransposePairF32::run_row<true> : &TransposePairF32::run_row<false>;
        (this->*run_row)(in, in.as<const float>() + batch * in.batch_stride + y * in.row_stride, out,
                         out.as<float>() + batch * out.batch_stride + 4 * y * out.row_stride);
      }
    });
  }

 private:
  template <bool Plain> void run_row(const TensorView& in, const float* from, const TensorView& out, float* to) const {
    const int64_t width = in.shape[3], lanes = pixel_stride_of(channels_);
    const float32x4_t bias = vld1q_f32(second_bias_.data());
    const auto biased = [&](float32x4_t sum) { return Plain ? vaddq_f32(sum, bias) : sum; };
    Hidden hidden;
    for (int64_t x = 0; x < width; x += kPixels) {
      std::array<const float*, kPixels> pixels;
      for (int64_t p = 0; p < kPixels; p++) pixels[static_cast<size_t>(p)] = from + std::min(x + p, width - 1) * in.pixel_stride;
      for (int64_t tap = 0; tap < kTaps; tap++)
        compute_hidden<Plain>(pixels, lanes, first_weights_.data() + tap * lanes * kHidden, bias_.data(), &hidden[tap][0][0]);
      float32x4_t sums[kTaps * kPixels][1];
      compute_outputs(hidden, second_weights_.data(), Plain ? kZeros.data() : second_bias_.data(), sums);
      const int64_t count = std::min<int64_t>(kPixels, width - x);
#pragma clang loop unroll(full)
      for (int dy = 0; dy < 2; dy++)
#pragma clang loop unroll(full)
        for (int p = 0; p < kPixels; p++)
          if (p < count)
            store_rows(biased(sums[2 * dy * kPixels + p][0]), biased(sums[(2 * dy + 1) * kPixels + p][0]),
                       to + 2 * dy * out.row_stride + 4 * (x + p), out.row_stride);
    }
    for (int64_t y = 0; y < 4 && sigmoid_; y++) {
      float* values = to + y * out.row_stride;
      if constexpr (Plain) activate(values, 4 * width);
      else fast_sigmoid(values, 4 * width, values);
    }
  }

  size_t input_;
  int64_t channels_;
  bool sigmoid_, plain_;
  std::vector<float> first_weights_;   // [tap][channel, padded][hidden, padded]
  std::vector<float> second_weights_;  // [hidden, padded][tap]
  std::vector<float> bias_;            // of hidden, padded
  std::array<float, 4> second_bias_;
};

bool is_doubling(const graph::Constant& filter) {
  return filter.dtype == DataType::f32 && filter.shape.rank() == 4 && filter.shape[2] == 2 && filter.shape[3] == 2;
}

bool in_one_go(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant& one = generic::constant_input(node, graph, "Filter", 0);
  const graph::Constant& other = generic::constant_input(node, graph, "Filter", 1);
  const Shape &first = one.shape, &second = other.shape;
  if (!is_doubling(one) || !is_doubling(other) || first[1] != second[0]) return false;
  return pixel_stride_of(first[1]) == kHidden && second[1] == 1 && pixel_stride_of(first[0]) % 8 == 0 && generic::ends_plainly(node, graph);
}

}  // namespace

std::unique_ptr<Kernel> create_conv2d_transpose_pair_f32(const graph::Node& node, const graph::Graph& graph) {
  if (in_one_go(node, graph)) return std::make_unique<TransposePairF32>(node, graph);
  return generic::create_in_sequence("neon.conv2d_transpose_pair.fp32.in_sequence", node, graph, kernel_sets());
}

}  // namespace edgeocr::kernels::neon
