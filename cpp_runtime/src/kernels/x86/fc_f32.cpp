// fc and mul, fp32: kernels/floating's.
#include "kernels/floating/fc.h"

#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/set_f32.h"

namespace edgeocr::kernels::x86 {

bool accepts_fc_f32(const graph::Node& node, const graph::Graph& graph) { return floating::accepts_fc<SetF32>(node, graph); }

std::unique_ptr<Kernel> create_fc_f32(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<floating::Fc<SetF32>>(node, graph);
}

}  // namespace edgeocr::kernels::x86
