// conv2d_over_upsampled, fp32: the inner loops in kernels/floating's kernel.
#include "kernels/floating/conv2d_over_upsampled.h"

#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/set_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

struct UpsampledLoops {
  const InnerLoops& loops = current_inner_loops();

  void subtract(const float* a, const float* b, int64_t n, float* out) const { loops.subtract_f32(a, b, n, out); }
  void expand(const floating::ExpandedRow<float>& row) const { loops.expand_f32(row); }
  void spread(const float* expanded, int64_t width, int64_t factor, int64_t lanes, bool add, float* sums) const {
    loops.spread_f32(expanded, width, factor, lanes, add, sums);
  }
};

}  // namespace

bool accepts_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph) {
  return floating::accepts_conv2d_over_upsampled<float>(node, graph, 8);
}

std::unique_ptr<Kernel> create_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<floating::OverUpsampled<SetF32, UpsampledLoops>>(node, graph);
}

}  // namespace edgeocr::kernels::x86
