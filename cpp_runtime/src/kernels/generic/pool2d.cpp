// pool2d: max and average; global, adaptive, or by windows.
#include <limits>
#include <memory>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/pool_windows.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class Pool2d : public Kernel {
 public:
  explicit Pool2d(const graph::Node& node) : loops_(current_loops()), input_(input_index(node, "X")), windows_(node) {}

  std::string_view name() const override { return windows_.max() ? "generic.pool2d.max" : "generic.pool2d.avg"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return static_cast<size_t>(threads) * row_bytes(inputs[input_]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype("pool2d", "input", in, DataType::f32);
    expect_dtype("pool2d", "output", out, DataType::f32);
    if (!in.is_map() || !out.is_map() || in.shape[1] != out.shape[1]) {
      fail("pool2d: %s to %s, expected maps of equal channels", in.shape.str().c_str(), out.shape.str().c_str());
    }
    // Few large windows (global pooling) are split by channels, many small ones by output pixels: the same sums either way.
    const int64_t lanes = pixel_stride_of(in.shape[1]), pixels = map_pixels(out);
    const int64_t part = pixels >= 4 * context.pool.threads() ? lanes : std::min<int64_t>(lanes, 64), parts = (lanes + part - 1) / part;
    parallel(context, pixels * parts, 1, [&](int64_t begin, int64_t end, int worker) {
      auto* row = reinterpret_cast<float*>(context.scratch + static_cast<size_t>(worker) * row_bytes(in));
      for (int64_t i = begin; i < end; i++) {
        const int64_t first = i % parts * part;
        window(in, out, i / parts, first, std::min(part, lanes - first), row);
      }
    });
    clear_padding(out);
  }

 private:
  static size_t row_bytes(const TensorView& in) { return align_up(static_cast<size_t>(pixel_stride_of(in.shape[1])) * sizeof(float)); }

  // Channels [first, first + n) of one output pixel. An average adds pixels to sums of rows, and those to the sum, so that a
  // global average over a large map stays exact to the last bits.
  void window(const TensorView& in, const TensorView& out, int64_t pixel, int64_t first, int64_t n, float* row) const {
    const int64_t out_h = out.shape[2], out_w = out.shape[3];
    const PoolWindows::Range y = windows_.range(0, pixel / out_w % out_h, in.shape[2], out_h);
    const PoolWindows::Range x = windows_.range(1, pixel % out_w, in.shape[3], out_w);
    const bool max = windows_.max();
    const float* map = in.as<const float>() + pixel / (out_h * out_w) * in.batch_stride + first;
    float* target = out.as<float>() + pixel * out.pixel_stride + first;
    std::fill_n(target, n, max ? -std::numeric_limits<float>::max() : 0.0f);
    for (int64_t iy = y.begin; iy < y.end; iy++) {
      const float* source = map + iy * in.row_stride + x.begin * in.pixel_stride;
      if (!max) std::fill_n(row, n, 0.0f);
      for (int64_t ix = x.begin; ix < x.end; ix++, source += in.pixel_stride) {
        if (max) {
          loops_.maximum(source, n, target);
        } else {
          loops_.accumulate(source, n, row);
        }
      }
      if (!max) loops_.accumulate(row, n, target);
    }
    if (max) return;
    const auto count = static_cast<float>(windows_.count(y, x));
    for (int64_t c = 0; c < n; c++) target[c] = target[c] / count;
  }

  const Loops& loops_;
  size_t input_;
  PoolWindows windows_;
};

}  // namespace

std::unique_ptr<Kernel> create_pool2d(const graph::Node& node, const graph::Graph&) { return std::make_unique<Pool2d>(node); }

}  // namespace edgeocr::kernels::generic
