// fc and mul, fp32 and fp16: kernels/floating's.
#include "kernels/floating/fc.h"

#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_set.h"

namespace edgeocr::kernels::neon {

template <class T> bool accepts_fc(const graph::Node& node, const graph::Graph& graph) {
  return floating::accepts_fc<FloatSet<T>>(node, graph);
}

template <class T> std::unique_ptr<Kernel> create_fc(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<floating::Fc<FloatSet<T>>>(node, graph);
}

template bool accepts_fc<float>(const graph::Node&, const graph::Graph&);
template bool accepts_fc<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_fc<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_fc<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
