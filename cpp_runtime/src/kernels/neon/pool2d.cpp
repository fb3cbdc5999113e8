// pool2d of fp32 maps, to fp32 or through a calib to int8, and of fp16 maps, to fp16 or fp32. The sums of up to 32 channels stay on
// registers.
#include <algorithm>
#include <limits>
#include <memory>

#include "base/error.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/pool_windows.h"
#include "kernels/generic/views.h"
#include "kernels/neon/convert.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_node.h"
#include "kernels/neon/plain_kernel.h"
#include "kernels/neon/requantise.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::neon {

namespace {

using generic::PoolWindows;

constexpr int64_t kLanes = 32;  // channels at a time

// The pixels of one window; `in` is the first, at the first channel.
template <class T> struct Window {
  const T* in;
  ptrdiff_t row_step, pixel_step;
  int64_t rows, pixels;
};

// As the plain kernel adds: pixels to sums of rows, those to the sum.
template <int Vectors> void sum_window(const Window<float>& w, float* out) {
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

// Sums of fp32, of a run of pixels each.
template <int Vectors> struct WideSums {
  float32x4_t low[Vectors], high[Vectors];

  [[gnu::always_inline]] void add(const float16x8_t (&part)[Vectors]) {
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) {
      low[v] = low[v] + vcvt_f32_f16(vget_low_f16(part[v]));
      high[v] = high[v] + vcvt_high_f32_f16(part[v]);
    }
  }
};

// The sum in fp16 of the next pixels of a row.
template <int Pixels, int Vectors>
[[gnu::always_inline]] inline void sum_pixels(const Half*& in, ptrdiff_t step, float16x8_t (&part)[Vectors]) {
  for (int v = 0; v < Vectors; v++) part[v] = vld1q_f16(in + 8 * v);
  in += step;
#pragma clang loop unroll(full)
  for (int i = 1; i < Pixels; i++, in += step) {
    asm volatile("" : "+r"(in));  // a step at a time, instead of a register for each pixel
    for (int v = 0; v < Vectors; v++) part[v] = part[v] + vld1q_f16(in + 8 * v);
  }
}

// Sixteen pixels of a row are summed in fp16, values of up to 65504 / 16, as widening costs more than adding.
template <int Vectors> void sum_window(const Window<Half>& w, float* out) {
  constexpr int kPixels = 16;
  WideSums<Vectors> sums{};
  for (int64_t y = 0; y < w.rows; y++) {
    const Half* in = w.in + y * w.row_step;
    float16x8_t part[Vectors];
    int64_t x = 0;
    for (; x + kPixels <= w.pixels; x += kPixels) {
      sum_pixels<kPixels>(in, w.pixel_step, part);
      sums.add(part);
    }
    for (; x < w.pixels; x++) {
      sum_pixels<1>(in, w.pixel_step, part);
      sums.add(part);
    }
  }
  for (int v = 0; v < Vectors; v++) {
    vst1q_f32(out + 8 * v, sums.low[v]);
    vst1q_f32(out + 8 * v + 4, sums.high[v]);
  }
}

template <class T> constexpr float kLowest = std::is_same_v<T, float> ? -std::numeric_limits<float>::max() : -65504.0f;

template <class T, int Vectors> void largest_of_window(const Window<T>& w, float* out) {
  using V = Vec<T>;
  typename V::Register largest[Vectors];
  for (auto& v : largest) v = V::broadcast(kLowest<T>);
  for (int64_t y = 0; y < w.rows; y++) {
    const T* in = w.in + y * w.row_step;
    for (int64_t x = 0; x < w.pixels; x++, in += w.pixel_step)
      for (int v = 0; v < Vectors; v++) largest[v] = V::max_number(largest[v], V::load(in + V::kLanes * v));
  }
  for (int v = 0; v < Vectors; v++) store_wide(out + V::kLanes * v, largest[v]);
}

template <class T, int64_t Lanes> void pool_window(bool max, const Window<T>& w, float* out) {
  constexpr int kVectors = Lanes / Vec<T>::kLanes;
  if (max) largest_of_window<T, kVectors>(w, out);
  else sum_window<kVectors>(w, out);
}

template <class T> class Pool2d : public Kernel {
 public:
  Pool2d(const graph::Node& node, const graph::Graph& graph)
      : input_(generic::input_index(node, "X")), windows_(node), output_(parse_tail(node, graph).outputs[0]),
        plain_(plain_kernel<T>(node, graph)) {}

  std::string_view name() const override {
    return windows_.max() ? float_name<T>("neon.pool2d.max", "neon.pool2d.fp16.max")
                          : float_name<T>("neon.pool2d.avg", "neon.pool2d.fp16.avg");
  }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return has_vectors(outputs[0]) ? 0 : plain_->scratch_bytes(inputs, outputs, threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    if (!has_vectors(out)) return plain_->run(context, inputs, outputs);
    generic::expect_dtype(name(), "input", in, kDataType<T>);
    generic::expect_dtype(name(), "output", out, output_.dtype);
    if (!in.is_map() || in.shape[1] != out.shape[1]) {
      fail("pool2d: %s to %s, expected maps of equal channels", in.shape.str().c_str(), out.shape.str().c_str());
    }
    // Few large windows (global pooling) are split by channels too.
    const int64_t parts = (pixel_stride_of(out.shape[1]) + kLanes - 1) / kLanes;
    generic::parallel(context, generic::map_pixels(out) * parts, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end;) {
        const int64_t pixel = i / parts, last = std::min(end, (pixel + 1) * parts);
        const Place place = place_of(in, out, pixel);
        for (; i < last; i++) pool(place, (i - pixel * parts) * kLanes, out);
      }
    });
    generic::clear_padding(out);
  }

 private:
  static bool has_vectors(const TensorView& out) { return out.is_map() && out.shape[1] > 4; }

  // Where an output pixel is, and what it is made of.
  struct Place {
    Window<T> window;
    float count;  // what an average divides by
    int64_t at;   // elements of the output
  };

  Place place_of(const TensorView& in, const TensorView& out, int64_t pixel) const {
    const int64_t out_h = out.shape[2], out_w = out.shape[3];
    const PoolWindows::Range y = windows_.range(0, pixel / out_w % out_h, in.shape[2], out_h);
    const PoolWindows::Range x = windows_.range(1, pixel % out_w, in.shape[3], out_w);
    const T* first = in.as<const T>() + pixel / (out_h * out_w) * in.batch_stride + y.begin * in.row_stride + x.begin * in.pixel_stride;
    return {.window = {first, in.row_stride, in.pixel_stride, y.size(), x.size()},
            .count = static_cast<float>(windows_.count(y, x)),
            .at = pixel * out.pixel_stride};
  }

  // Channels from `first` on, at most kLanes, of one output pixel.
  void pool(const Place& place, int64_t first, const TensorView& out) const {
    const int64_t lanes = std::min(kLanes, pixel_stride_of(out.shape[1]) - first);
    Window<T> window = place.window;
    window.in += first;
    float results[kLanes];
    switch (lanes) {
      case 32: pool_window<T, 32>(windows_.max(), window, results); break;
      case 24: pool_window<T, 24>(windows_.max(), window, results); break;
      case 16: pool_window<T, 16>(windows_.max(), window, results); break;
      default: pool_window<T, 8>(windows_.max(), window, results); break;
    }
    if (!windows_.max()) {
      const float32x4_t count = vdupq_n_f32(place.count);
      for (int64_t c = 0; c < lanes; c += 4) vst1q_f32(results + c, vdivq_f32(vld1q_f32(results + c), count));
    }
    const int64_t at = place.at + first;
    if (output_.int8()) quantise(results, output_.inverse_scale, lanes, out.as<int8_t>() + at);
    else if (output_.dtype == DataType::f16) narrow(results, lanes, out.as<Half>() + at);
    else std::copy_n(results, lanes, out.as<float>() + at);
  }

  size_t input_;
  PoolWindows windows_;
  TailParameters::Output output_;
  std::unique_ptr<Kernel> plain_;
};

}  // namespace

template <class T> bool accepts_pool2d(const graph::Node& node, const graph::Graph& graph) {
  return (std::is_same_v<T, float> || computes_in<T>(node)) && is_stored_once(node, graph);
}

template <class T> std::unique_ptr<Kernel> create_pool2d(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Pool2d<T>>(node, graph);
}

template bool accepts_pool2d<float>(const graph::Node&, const graph::Graph&);
template bool accepts_pool2d<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_pool2d<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_pool2d<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
