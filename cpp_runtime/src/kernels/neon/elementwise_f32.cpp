// elementwise_add and elementwise_mul on fp32 maps, to fp32 or through a calib to int8: two maps of one shape, or a map and one value
// per channel (the gates of a squeeze-and-excitation block). Other shapes are left to the plain kernel.
#include <memory>

#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/neon/tensors_f32.h"
#include "kernels/neon/requantise.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::neon {

namespace {

enum class Operation : uint8_t { add, mul };

// Pixels that follow each other in all three maps; `lanes` of each, a multiple of eight.
struct Run {
  const float* x;
  ptrdiff_t x_step;
  const float* y;
  ptrdiff_t y_step;  // 0: one value per channel
  int64_t pixels, lanes;
  std::byte* out;
  ptrdiff_t out_step;   // elements
  float inverse_scale;  // int8
};

template <Operation O> [[gnu::always_inline]] inline float32x4_t combine(const float* x, const float* y) {
  return O == Operation::add ? vaddq_f32(vld1q_f32(x), vld1q_f32(y)) : vmulq_f32(vld1q_f32(x), vld1q_f32(y));
}

template <Operation O> void run_fp32(const Run& r) {
  auto* out = reinterpret_cast<float*>(r.out);
  for (int64_t p = 0; p < r.pixels; p++) {
    const float *x = r.x + p * r.x_step, *y = r.y + p * r.y_step;
    float* to = out + p * r.out_step;
    for (int64_t c = 0; c < r.lanes; c += 8) {
      vst1q_f32(to + c, combine<O>(x + c, y + c));
      vst1q_f32(to + c + 4, combine<O>(x + c + 4, y + c + 4));
    }
  }
}

template <Operation O> void run_int8(const Run& r) {
  auto* out = reinterpret_cast<int8_t*>(r.out);
  const float32x4_t scale = vdupq_n_f32(r.inverse_scale);
  for (int64_t p = 0; p < r.pixels; p++) {
    const float *x = r.x + p * r.x_step, *y = r.y + p * r.y_step;
    int8_t* to = out + p * r.out_step;
    const auto scaled = [&](int64_t c) __attribute__((always_inline)) { return without_nan(vmulq_f32(combine<O>(x + c, y + c), scale)); };
    int64_t c = 0;
    for (; c + 16 <= r.lanes; c += 16) vst1q_s8(to + c, round_to_int8(scaled(c), scaled(c + 4), scaled(c + 8), scaled(c + 12), -127));
    if (c < r.lanes) vst1_s8(to + c, round_to_int8(scaled(c), scaled(c + 4), -127));
  }
}

class ElementwiseF32 : public Kernel {
 public:
  ElementwiseF32(const graph::Node& node, const graph::Graph& graph)
      : x_(generic::input_index(node, "X")), y_(generic::input_index(node, "Y")), output_(parse_tail(node, graph).outputs[0]) {
    const bool add = node.op == "elementwise_add";
    if (output_.int8()) function_ = add ? run_int8<Operation::add> : run_int8<Operation::mul>;
    else function_ = add ? run_fp32<Operation::add> : run_fp32<Operation::mul>;
    const std::span<const KernelEntry> plain[] = {generic_set()};
    plain_ = create_kernel(node, graph, plain);
  }

  std::string_view name() const override { return "neon.elementwise"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return is_simple(inputs, outputs[0]) ? 0 : plain_->scratch_bytes(inputs, outputs, threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &x = inputs[x_], &y = inputs[y_], &out = outputs[0];
    if (!is_simple(inputs, out)) return plain_->run(context, inputs, outputs);
    generic::expect_dtype(name(), "X", x, DataType::f32);
    generic::expect_dtype(name(), "Y", y, DataType::f32);
    generic::expect_dtype(name(), "output", out, output_.dtype);
    const int64_t height = out.shape[2], lanes = pixel_stride_of(out.shape[1]);
    const bool one_value = !(y.shape == out.shape);
    const auto row_of = [&](const TensorView& map, int64_t line) {
      return line / height * map.batch_stride + line % height * map.row_stride;
    };
    generic::parallel_rows(context, out.shape[0], height, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t line = begin; line < end; line++) {
        const float* per_channel = y.as<const float>() + (one_value ? line / height * y.batch_stride : row_of(y, line));
        function_({.x = x.as<const float>() + row_of(x, line),
                   .x_step = x.pixel_stride,
                   .y = per_channel,
                   .y_step = one_value ? 0 : y.pixel_stride,
                   .pixels = out.shape[3],
                   .lanes = lanes,
                   .out = out.as<std::byte>() + row_of(out, line) * static_cast<int64_t>(size_of(out.dtype)),
                   .out_step = out.pixel_stride,
                   .inverse_scale = output_.inverse_scale});
      }
    });
    if (out.pixel_stride != lanes) generic::clear_padding(out);
  }

 private:
  bool is_simple(std::span<const TensorView> inputs, const TensorView& out) const {
    const TensorView &x = inputs[x_], &y = inputs[y_];
    if (!x.is_map() || !y.is_map() || generic::is_constant_map(x) || generic::is_constant_map(y) || out.shape[1] <= 4) return false;
    const Shape per_channel{out.shape[0], out.shape[1], 1, 1};
    return x.shape == out.shape && (y.shape == out.shape || y.shape == per_channel);
  }

  size_t x_, y_;
  TailParameters::Output output_;
  void (*function_)(const Run& run);
  std::unique_ptr<Kernel> plain_;
};

}  // namespace

bool accepts_elementwise_f32(const graph::Node& node, const graph::Graph& graph) {
  const TailParameters tail = parse_tail(node, graph);
  return !tail.has_steps() && tail.outputs.size() == 1;
}

std::unique_ptr<Kernel> create_elementwise_f32(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<ElementwiseF32>(node, graph);
}

}  // namespace edgeocr::kernels::neon
