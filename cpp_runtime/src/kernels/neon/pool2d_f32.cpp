// pool2d of fp32 maps, to fp32 or through a calib to int8. The sums of up to 32 channels stay on registers.
#include <algorithm>
#include <limits>
#include <memory>

#include "base/error.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/pool_windows.h"
#include "kernels/generic/views.h"
#include "kernels/neon/requantise.h"
#include "kernels/neon/tensors_f32.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::neon {

namespace {

using generic::PoolWindows;

constexpr int64_t kLanes = 32;

// The pixels of one window; `in` is the first, at the first channel.
struct Window {
  const float* in;
  ptrdiff_t row_step, pixel_step;
  int64_t rows, pixels;
};

// As the plain kernel adds: pixels to sums of rows, those to the sum.
template <int Vectors> void sum_window(const Window& w, float* out) {
  float32x4_t sum[Vectors];
  for (float32x4_t& v : sum) v = vdupq_n_f32(0);
  for (int64_t y = 0; y < w.rows; y++) {
    const float* in = w.in + y * w.row_step;
    float32x4_t row[Vectors];
    for (float32x4_t& v : row) v = vdupq_n_f32(0);
    for (int64_t x = 0; x < w.pixels; x++, in += w.pixel_step)
      for (int v = 0; v < Vectors; v++) row[v] = vaddq_f32(row[v], vld1q_f32(in + 4 * v));
    for (int v = 0; v < Vectors; v++) sum[v] = vaddq_f32(sum[v], row[v]);
  }
  for (int v = 0; v < Vectors; v++) vst1q_f32(out + 4 * v, sum[v]);
}

template <int Vectors> void largest_of_window(const Window& w, float* out) {
  float32x4_t largest[Vectors];
  for (float32x4_t& v : largest) v = vdupq_n_f32(-std::numeric_limits<float>::max());
  for (int64_t y = 0; y < w.rows; y++) {
    const float* in = w.in + y * w.row_step;
    for (int64_t x = 0; x < w.pixels; x++, in += w.pixel_step)
      for (int v = 0; v < Vectors; v++) largest[v] = vmaxnmq_f32(largest[v], vld1q_f32(in + 4 * v));
  }
  for (int v = 0; v < Vectors; v++) vst1q_f32(out + 4 * v, largest[v]);
}

template <int Vectors> void pool_window(bool max, const Window& w, float* out) {
  if (max) largest_of_window<Vectors>(w, out);
  else sum_window<Vectors>(w, out);
}

class Pool2dF32 : public Kernel {
 public:
  Pool2dF32(const graph::Node& node, const graph::Graph& graph)
      : input_(generic::input_index(node, "X")), windows_(node), output_(parse_tail(node, graph).outputs[0]) {
    const std::span<const KernelEntry> plain[] = {generic_set()};
    plain_ = create_kernel(node, graph, plain);
  }

  std::string_view name() const override { return windows_.max() ? "neon.pool2d.max" : "neon.pool2d.avg"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return has_vectors(outputs[0]) ? 0 : plain_->scratch_bytes(inputs, outputs, threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    if (!has_vectors(out)) return plain_->run(context, inputs, outputs);
    generic::expect_dtype(name(), "input", in, DataType::f32);
    generic::expect_dtype(name(), "output", out, output_.dtype);
    if (!in.is_map() || in.shape[1] != out.shape[1]) {
      fail("pool2d: %s to %s, expected maps of equal channels", in.shape.str().c_str(), out.shape.str().c_str());
    }
    // Few large windows (global pooling) are split by channels too.
    const int64_t parts = (pixel_stride_of(out.shape[1]) + kLanes - 1) / kLanes;
    generic::parallel(context, generic::map_pixels(out) * parts, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) pool(in, out, i / parts, i % parts * kLanes);
    });
    generic::clear_padding(out);
  }

 private:
  static bool has_vectors(const TensorView& out) { return out.is_map() && out.shape[1] > 4; }

  // Channels from `first` on, at most kLanes, of one output pixel.
  void pool(const TensorView& in, const TensorView& out, int64_t pixel, int64_t first) const {
    const int64_t out_h = out.shape[2], out_w = out.shape[3], lanes = std::min(kLanes, pixel_stride_of(out.shape[1]) - first);
    const PoolWindows::Range y = windows_.range(0, pixel / out_w % out_h, in.shape[2], out_h);
    const PoolWindows::Range x = windows_.range(1, pixel % out_w, in.shape[3], out_w);
    const float* map = in.as<const float>() + pixel / (out_h * out_w) * in.batch_stride + first;
    const Window window{map + y.begin * in.row_stride + x.begin * in.pixel_stride, in.row_stride, in.pixel_stride, y.size(), x.size()};
    float results[kLanes];
    switch (lanes) {
      case 32: pool_window<8>(windows_.max(), window, results); break;
      case 24: pool_window<6>(windows_.max(), window, results); break;
      case 16: pool_window<4>(windows_.max(), window, results); break;
      default: pool_window<2>(windows_.max(), window, results); break;
    }
    if (!windows_.max()) {
      const float32x4_t count = vdupq_n_f32(static_cast<float>(windows_.count(y, x)));
      for (int64_t c = 0; c < lanes; c += 4) vst1q_f32(results + c, vdivq_f32(vld1q_f32(results + c), count));
    }
    const int64_t at = generic::pixel_offset(out, pixel) + first;
    if (output_.int8()) quantise(results, output_.inverse_scale, lanes, out.as<int8_t>() + at);
    else std::copy_n(results, lanes, out.as<float>() + at);
  }

  size_t input_;
  PoolWindows windows_;
  TailParameters::Output output_;
  std::unique_ptr<Kernel> plain_;
};

}  // namespace

bool accepts_pool2d_f32(const graph::Node& node, const graph::Graph& graph) {
  const TailParameters tail = parse_tail(node, graph);
  return !tail.has_steps() && tail.outputs.size() == 1;
}

std::unique_ptr<Kernel> create_pool2d_f32(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Pool2dF32>(node, graph);
}

}  // namespace edgeocr::kernels::neon
