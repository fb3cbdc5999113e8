// pool2d: max and average; global, adaptive, or by windows.
#include <limits>
#include <memory>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/geometry.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

struct Range {
  int64_t begin, end;
};

class Pool2d : public Kernel {
 public:
  explicit Pool2d(const graph::Node& node)
      : loops_(current_loops()), input_(input_index(node, "X")), max_(node.attr_string("pooling_type", "max") == "max"),
        global_(node.attr_int("global_pooling", 0) != 0), adaptive_(node.attr_int("adaptive", 0) != 0),
        exclusive_(node.attr_int("exclusive", 1) != 0), same_padding_(node.attr_string("padding_algorithm") == "SAME") {
    const std::string type = node.attr_string("pooling_type", "max");
    if (type != "max" && type != "avg") fail("%s: pooling_type is %s, expected max or avg", node.label().c_str(), type.c_str());
    // Sizes of the input matter to SAME and global pooling only, which are resolved at run time.
    if (!adaptive_) window_ = graph::pool_window(node, {1, 1, 1, 1});
  }

  std::string_view name() const override { return max_ ? "generic.pool2d.max" : "generic.pool2d.avg"; }

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

  Range window_range(size_t axis, int64_t at, int64_t in_size, int64_t out_size) const {
    if (global_) return {0, in_size};
    if (adaptive_) return {at * in_size / out_size, ((at + 1) * in_size + out_size - 1) / out_size};
    const int64_t kernel = window_.kernel[axis], stride = window_.stride[axis];
    const int64_t begin = at * stride - (same_padding_ ? same_pad_begin(in_size, kernel, stride) : window_.pad_begin[axis]);
    return {std::max<int64_t>(begin, 0), std::min(begin + kernel, in_size)};
  }

  // Channels [first, first + n) of one output pixel. An average adds pixels to sums of rows, and those to the sum, so that a
  // global average over a large map stays exact to the last bits.
  void window(const TensorView& in, const TensorView& out, int64_t pixel, int64_t first, int64_t n, float* row) const {
    const int64_t out_h = out.shape[2], out_w = out.shape[3];
    const Range y = window_range(0, pixel / out_w % out_h, in.shape[2], out_h), x = window_range(1, pixel % out_w, in.shape[3], out_w);
    const float* map = in.as<const float>() + pixel / (out_h * out_w) * in.batch_stride + first;
    float* target = out.as<float>() + pixel_offset(out, pixel) + first;
    std::fill_n(target, n, max_ ? -std::numeric_limits<float>::max() : 0.0f);
    for (int64_t iy = y.begin; iy < y.end; iy++) {
      const float* source = map + iy * in.row_stride + x.begin * in.pixel_stride;
      if (!max_) std::fill_n(row, n, 0.0f);
      for (int64_t ix = x.begin; ix < x.end; ix++, source += in.pixel_stride) {
        if (max_) {
          loops_.maximum(source, n, target);
        } else {
          loops_.accumulate(source, n, row);
        }
      }
      if (!max_) loops_.accumulate(row, n, target);
    }
    if (max_) return;
    const bool clipped = global_ || adaptive_ || exclusive_;
    const int64_t count = clipped ? (y.end - y.begin) * (x.end - x.begin) : window_.kernel[0] * window_.kernel[1];
    for (int64_t c = 0; c < n; c++) target[c] = target[c] / static_cast<float>(count);
  }

  const Loops& loops_;
  size_t input_;
  bool max_, global_, adaptive_, exclusive_, same_padding_;
  graph::Window window_;
};

}  // namespace

std::unique_ptr<Kernel> create_pool2d(const graph::Node& node, const graph::Graph&) { return std::make_unique<Pool2d>(node); }

}  // namespace edgeocr::kernels::generic
