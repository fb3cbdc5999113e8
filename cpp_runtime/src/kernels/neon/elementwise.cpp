// elementwise_add and elementwise_mul: two maps of one shape, or a map and one value per channel (the gates of a squeeze-and-excitation
// block). Of fp32 maps, to fp32 or through a calib to int8; of fp16 maps, to fp16 or fp32. Other shapes are left to the plain kernel.
#include <memory>

#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/int8/value_bound.h"
#include "kernels/neon/convert.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_node.h"
#include "kernels/neon/plain_kernel.h"
#include "kernels/neon/requantise.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::neon {

namespace {

enum class Operation : uint8_t { add, mul };

// Pixels that follow each other in all three maps; `lanes` of each, a multiple of eight.
template <class T> struct Run {
  const T* x;
  const T* y;
  ptrdiff_t y_step;  // 0: one value per channel
  int64_t pixels, lanes;
  std::byte* out;
  float inverse_scale;  // int8
};

template <class T, Operation O> [[gnu::always_inline]] inline typename Vec<T>::Register combine(const T* x, const T* y) {
  const auto a = Vec<T>::load(x), b = Vec<T>::load(y);
  return O == Operation::add ? a + b : a * b;
}

template <class T, class Out, Operation O> void run_float(const Run<T>& run) {
  const Run<T> r = run;  // a copy, which no store can change
  auto* out = reinterpret_cast<Out*>(r.out);
  for (int64_t p = 0; p < r.pixels; p++) {
    const T *x = r.x + p * r.lanes, *y = r.y + p * r.y_step;
    Out* to = out + p * r.lanes;
    for (int64_t i = 0; i < r.lanes; i += Vec<T>::kLanes) {
      if constexpr (std::is_same_v<T, Out>) Vec<T>::store(to + i, combine<T, O>(x + i, y + i));
      else store_wide(to + i, combine<T, O>(x + i, y + i));
    }
  }
}

// S: calib or, where all results are known to be numbers that fit, bounded_calib.
template <Operation O, Store S> void run_int8(const Run<float>& r) {
  auto* out = reinterpret_cast<int8_t*>(r.out);
  const float32x4_t scale = vdupq_n_f32(r.inverse_scale);
  for (int64_t p = 0; p < r.pixels; p++) {
    const float *x = r.x + p * r.lanes, *y = r.y + p * r.y_step;
    int8_t* to = out + p * r.lanes;
    const auto scaled = [&](int64_t c) __attribute__((always_inline)) {
      const float32x4_t v = vmulq_f32(combine<float, O>(x + c, y + c), scale);
      return S == Store::bounded_calib ? v : without_nan(v);
    };
    int64_t c = 0;
    for (; c + 16 <= r.lanes; c += 16) vst1q_s8(to + c, to_int8<S>(scaled(c), scaled(c + 4), scaled(c + 8), scaled(c + 12), -127));
    if (c < r.lanes) vst1_s8(to + c, to_int8<S>(scaled(c), scaled(c + 4), -127));
  }
}

template <class T> using RunFunction = void (*)(const Run<T>& run);

// Whether all that is rounded to int8 is known to be numbers that fit 16 bits.
template <Operation O> bool is_bounded(const graph::Node& node, const graph::Graph& graph, float inverse_scale) {
  const double x = int8::value_bound(node.input("X"), graph), y = int8::value_bound(node.input("Y"), graph);
  return (O == Operation::add ? x + y : x * y) * static_cast<double>(inverse_scale) < int8::kBound;
}

template <Operation O>
RunFunction<float> pick(const TailParameters::Output& output, const graph::Node& node, const graph::Graph& graph, float) {
  if (!output.int8()) return run_float<float, float, O>;
  return is_bounded<O>(node, graph, output.inverse_scale) ? run_int8<O, Store::bounded_calib> : run_int8<O, Store::calib>;
}
template <Operation O> RunFunction<Half> pick(const TailParameters::Output& output, const graph::Node&, const graph::Graph&, Half) {
  return output.dtype == DataType::f16 ? run_float<Half, Half, O> : run_float<Half, float, O>;
}

template <class T> class Elementwise : public Kernel {
 public:
  Elementwise(const graph::Node& node, const graph::Graph& graph)
      : x_(generic::input_index(node, "X")), y_(generic::input_index(node, "Y")), output_(parse_tail(node, graph).outputs[0]),
        function_(node.op == "elementwise_add" ? pick<Operation::add>(output_, node, graph, T())
                                               : pick<Operation::mul>(output_, node, graph, T())),
        plain_(plain_kernel<T>(node, graph)) {}

  std::string_view name() const override { return float_name<T>("neon.elementwise", "neon.elementwise.fp16"); }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return is_simple(inputs, outputs[0]) ? 0 : plain_->scratch_bytes(inputs, outputs, threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &x = inputs[x_], &y = inputs[y_], &out = outputs[0];
    if (!is_simple(inputs, out)) return plain_->run(context, inputs, outputs);
    generic::expect_dtype(name(), "X", x, kDataType<T>);
    generic::expect_dtype(name(), "Y", y, kDataType<T>);
    generic::expect_dtype(name(), "output", out, output_.dtype);
    const int64_t height = out.shape[2];
    const bool one_value = !(y.shape == out.shape);
    generic::parallel_rows(context, out.shape[0], height, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t line = begin; line < end; line++) {
        const T* y_row = y.as<const T>() + (one_value ? line / height * y.batch_stride : line * y.row_stride);
        function_({.x = x.as<const T>() + line * x.row_stride,
                   .y = y_row,
                   .y_step = one_value ? 0 : y.pixel_stride,
                   .pixels = out.shape[3],
                   .lanes = out.pixel_stride,
                   .out = out.as<std::byte>() + line * out.row_stride * static_cast<int64_t>(size_of(out.dtype)),
                   .inverse_scale = output_.inverse_scale});
      }
    });
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
  RunFunction<T> function_;
  std::unique_ptr<Kernel> plain_;
};

}  // namespace

template <class T> bool accepts_elementwise(const graph::Node& node, const graph::Graph& graph) {
  if (!is_stored_once(node, graph)) return false;
  if (std::is_same_v<T, float>) return true;
  // Constants of fp16 nodes are fp32.
  return computes_in<T>(node) && graph.constant(node.input("X")) == nullptr && graph.constant(node.input("Y")) == nullptr;
}

template <class T> std::unique_ptr<Kernel> create_elementwise(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Elementwise<T>>(node, graph);
}

template bool accepts_elementwise<float>(const graph::Node&, const graph::Graph&);
template bool accepts_elementwise<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_elementwise<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_elementwise<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
