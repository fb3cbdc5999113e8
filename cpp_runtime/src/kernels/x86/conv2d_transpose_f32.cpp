// conv2d_transpose, fp32: kernels/floating's.
#include "kernels/floating/conv2d_transpose.h"

#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/set_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

struct Taps {
  static constexpr int64_t kLanes = 8;  // of the narrowest product

  static void split_rows(const float* taps, int64_t width, float* rows) {
    for (int64_t x = 0; x < width; x++, taps += kLanes) {
      std::copy_n(taps, 2, rows + 2 * x);
      std::copy_n(taps + 2, 2, rows + 2 * (width + x));
    }
  }
};

}  // namespace

bool accepts_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph) {
  return floating::accepts_conv2d_transpose<SetF32>(node, graph);
}

std::unique_ptr<Kernel> create_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph) {
  return floating::create_conv2d_transpose<SetF32, Taps>(node, graph);
}

}  // namespace edgeocr::kernels::x86
