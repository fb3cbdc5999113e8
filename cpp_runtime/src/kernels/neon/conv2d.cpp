// conv2d, fp32 and fp16: kernels/floating's.
#include "kernels/floating/conv2d.h"

#include "kernels/generic/gated_conv2d.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_set.h"

namespace edgeocr::kernels::neon {

template <class T> bool accepts_conv2d(const graph::Node& node, const graph::Graph& graph) {
  if (!floating::accepts_conv2d<FloatSet<T>>(node, graph)) return false;
  if (!generic::is_gated(node)) return true;
  const bool any_order = !std::is_same_v<T, float> || is_pure_fp32(graph);
  return any_order && floating::is_pointwise(generic::conv_parameters(node, graph, false).geometry);
}

template <class T> std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph) {
  return floating::create_conv2d<FloatSet<T>>(node, graph);
}

template bool accepts_conv2d<float>(const graph::Node&, const graph::Graph&);
template bool accepts_conv2d<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
