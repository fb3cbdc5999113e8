// depthwise_conv2d, fp32: 3x3 and 5x5, steps of one or two along a row, any step between rows. A register tile is eight outputs of
// a row times one vector of channels; the channels are the inner loop.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/neon/finish_f32.h"
#include "kernels/neon/kernels_f32.h"
#include "kernels/neon/window_f32.h"

namespace edgeocr::kernels::neon {

namespace {

using generic::ConvParameters;

constexpr int64_t kTile = 8;

struct TileArguments {
  const WindowF32::Pixels& in;
  const float* weights;  // [lanes / 4][kernel * kernel][4]
  int64_t lanes;
  float* out;
  ptrdiff_t out_step;
};

// Taps in order (ky, kx), a multiply-add each, as the plain kernel has them; taps outside of the map multiply zeros.
template <int Kernel, int Step, int P, FormF32 F> void run_tile(const TileArguments& t, const ConstantsF32& c) {
  constexpr int kColumns = (P - 1) * Step + Kernel;
  const float* w = t.weights;
  const ptrdiff_t step = t.in.pixel_step;
  for (int64_t lane = 0; lane < t.lanes; lane += 4, w += Kernel * Kernel * 4) {
    float32x4_t sum[P];
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) sum[p] = vdupq_n_f32(0);
#pragma clang loop unroll(full)
    for (int ky = 0; ky < Kernel; ky++) {
      const float* row = t.in.rows[static_cast<size_t>(ky)] + lane;
      float32x4_t x[kColumns];
#pragma clang loop unroll(full)
      for (int i = 0; i < kColumns; i++) x[i] = vld1q_f32(row + i * step);
#pragma clang loop unroll(full)
      for (int kx = 0; kx < Kernel; kx++) {
        const float32x4_t weight = vld1q_f32(w + (ky * Kernel + kx) * 4);
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++) sum[p] = vfmaq_f32(sum[p], weight, x[p * Step + kx]);
      }
    }
    const float32x4_t bias = vld1q_f32(c.bias + lane);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) vst1q_f32(t.out + p * t.out_step + lane, finish<F>(sum[p], bias, nullptr, c));
  }
}

using TileFunction = void (*)(const TileArguments& tile, const ConstantsF32& constants);
template <int Kernel, int Step, int P> TileFunction pick(FormF32::Act act) {
  using Act = FormF32::Act;
  switch (act) {
    case Act::none: return run_tile<Kernel, Step, P, FormF32{Act::none, false}>;
    case Act::relu: return run_tile<Kernel, Step, P, FormF32{Act::relu, false}>;
    case Act::hard_swish: break;
  }
  return run_tile<Kernel, Step, P, FormF32{Act::hard_swish, false}>;
}
template <int P> TileFunction pick(const ConvGeometry& g, FormF32::Act act) {
  if (g.kernel_h == 3) return g.stride_w == 1 ? pick<3, 1, P>(act) : pick<3, 2, P>(act);
  return g.stride_w == 1 ? pick<5, 1, P>(act) : pick<5, 2, P>(act);
}

class DepthwiseF32 : public Kernel {
 public:
  DepthwiseF32(const graph::Node& node, const graph::Graph& graph)
      : parameters_(generic::conv_parameters(node, graph, false)), input_(generic::input_index(node, "Input")),
        finish_(generic::bias_or_zeros(node, graph, parameters_.geometry.out_channels), generic::conv_activation(node), parse_tail(node, graph)) {
    // A residual is added by FinishF32: these tiles have no form for it.
    const FormF32::Act act = is_plain() ? finish_.form().act : FormF32::Act::none;
    many_ = pick<kTile>(parameters_.geometry, act);
    one_ = pick<1>(parameters_.geometry, act);
    pack(generic::constant_input(node, graph, "Filter"));
  }

  std::string_view name() const override { return "neon.depthwise_conv2d.fp32"; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker(inputs[input_], outputs[0]).bytes;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const ConvGeometry& g = parameters_.geometry;
    const WindowF32 window(in, g.kernel_h, columns_under(kTile), finish_.lanes());
    const int64_t height = out.shape[2], width = out.shape[3], lanes = finish_.lanes();
    const bool direct = is_plain();
    const Worker space = worker(in, out);
    generic::parallel_rows(context, out.shape[0], height, 1, [&](int64_t begin, int64_t end, int worker) {
      auto* patch = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * space.bytes);
      auto* sums = patch + space.window / sizeof(float);
      window.clear(patch);
      const int64_t tile = width < kTile ? 1 : kTile;
      for (int64_t line = begin; line < end; line++) {
        const int64_t batch = line / height, y = line % height;
        float* row = direct ? out.as<float>() + batch * out.batch_stride + y * out.row_stride : sums;
        const ptrdiff_t step = direct ? out.pixel_stride : lanes;
        for (int64_t m = 0; m < width; m += tile) {
          const int64_t x = std::min(m, width - tile);
          const WindowF32::Pixels pixels =
              window.at(batch, y * g.stride_h - g.pad_top, x * g.stride_w - g.pad_left, columns_under(tile), patch);
          (tile == 1 ? one_ : many_)({pixels, weights_.data(), lanes, row + x * step, step}, finish_.constants());
        }
        if (!direct) finish_.run(sums, sums + space.sums / sizeof(float), line * width, width, inputs, outputs);
      }
    });
  }

 private:
  struct Worker {
    size_t window, sums, bytes;
  };
  Worker worker(const TensorView& in, const TensorView& out) const {
    Worker w{};
    const WindowF32 window(in, parameters_.geometry.kernel_h, columns_under(kTile), finish_.lanes());
    w.window = align_up(window.elements() * sizeof(float));
    w.sums = is_plain() ? 0 : align_up(static_cast<size_t>(out.shape[3] * finish_.lanes()) * sizeof(float));
    w.bytes = w.window + 2 * w.sums;
    return w;
  }

  // Stores go straight to the output.
  bool is_plain() const { return finish_.on_registers() && !finish_.form().residual; }
  int64_t columns_under(int64_t outputs) const {
    return (outputs - 1) * parameters_.geometry.stride_w + parameters_.geometry.kernel_w;
  }

  // Filter [C, 1, kernel, kernel]
  void pack(const graph::Constant& filter) {
    const ConvGeometry& g = parameters_.geometry;
    const auto values = filter.as<float>();
    const int64_t taps = g.kernel_h * g.kernel_w;
    for (int64_t first = 0; first < finish_.lanes(); first += 4)
      for (int64_t t = 0; t < taps; t++)
        for (int64_t c = first; c < first + 4; c++) weights_.push_back(c < g.in_channels ? values[static_cast<size_t>(c * taps + t)] : 0.0f);
  }

  ConvParameters parameters_;
  size_t input_;
  FinishF32 finish_;
  TileFunction many_ = nullptr, one_ = nullptr;  // kTile outputs, one output
  std::vector<float> weights_;
};

}  // namespace

bool accepts_depthwise_f32(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* filter = graph.constant(node.input("Filter"));
  if (node.precision == 2 || filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4) return false;
  const ConvParameters p = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = p.geometry;
  const bool depthwise = g.groups > 4 && g.groups == g.in_channels && g.groups == g.out_channels;
  return depthwise && g.kernel_h == g.kernel_w && (g.kernel_h == 3 || g.kernel_h == 5) && g.stride_w <= 2 && g.dilation_h == 1 &&
         g.dilation_w == 1 && !p.same_padding;
}

std::unique_ptr<Kernel> create_depthwise_f32(const graph::Node& node, const graph::Graph& graph) { return std::make_unique<DepthwiseF32>(node, graph); }

}  // namespace edgeocr::kernels::neon
