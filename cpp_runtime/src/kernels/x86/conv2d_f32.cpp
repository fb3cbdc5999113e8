// conv2d, fp32: kernels/floating's; gates are multiplied with the map first.
#include "kernels/floating/conv2d.h"

#include "kernels/generic/gated_conv2d.h"
#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/set_f32.h"

namespace edgeocr::kernels::x86 {

bool accepts_conv2d_f32(const graph::Node& node, const graph::Graph& graph) { return floating::accepts_conv2d<SetF32>(node, graph); }

std::unique_ptr<Kernel> create_conv2d_f32(const graph::Node& node, const graph::Graph& graph) {
  if (generic::is_gated(node)) return generic::create_gated_conv2d(node, graph, create_conv2d_f32);
  return floating::create_conv2d<SetF32>(node, graph);
}

}  // namespace edgeocr::kernels::x86
