// conv2d_transpose, fp32 and fp16: kernels/floating's.
#include "kernels/floating/conv2d_transpose.h"

#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_set.h"

namespace edgeocr::kernels::neon {

namespace {

template <class T> struct Taps;

template <> struct Taps<float> {
  static constexpr int64_t kLanes = Vec<float>::kLanes;

  static void split_rows(const float* taps, int64_t width, float* rows) {
    int64_t x = 0;
    for (; x + 2 <= width; x += 2) {
      const float64x2_t a = vreinterpretq_f64_f32(vld1q_f32(taps + 4 * x)), b = vreinterpretq_f64_f32(vld1q_f32(taps + 4 * x + 4));
      vst1q_f32(rows + 2 * x, vreinterpretq_f32_f64(vzip1q_f64(a, b)));
      vst1q_f32(rows + 2 * (width + x), vreinterpretq_f32_f64(vzip2q_f64(a, b)));
    }
    if (x == width) return;
    std::copy_n(taps + 4 * x, 2, rows + 2 * x);
    std::copy_n(taps + 4 * x + 2, 2, rows + 2 * (width + x));
  }
};

template <> struct Taps<Half> {
  static constexpr int64_t kLanes = Vec<Half>::kLanes;

  static void split_rows(const Half* taps, int64_t width, float* rows) {
    for (int64_t x = 0; x < width; x++) {
      const float32x4_t both = vcvt_f32_f16(vld1_f16(taps + 8 * x));
      vst1_f32(rows + 2 * x, vget_low_f32(both));
      vst1_f32(rows + 2 * (width + x), vget_high_f32(both));
    }
  }
};

}  // namespace

template <class T> bool accepts_conv2d_transpose(const graph::Node& node, const graph::Graph& graph) {
  return floating::accepts_conv2d_transpose<FloatSet<T>>(node, graph);
}

template <class T> std::unique_ptr<Kernel> create_conv2d_transpose(const graph::Node& node, const graph::Graph& graph) {
  return floating::create_conv2d_transpose<FloatSet<T>, Taps<T>>(node, graph);
}

template bool accepts_conv2d_transpose<float>(const graph::Node&, const graph::Graph&);
template bool accepts_conv2d_transpose<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d_transpose<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d_transpose<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
