#include "graph/passes/mark_fast_int8.h"

#include "graph/precision.h"

namespace edgeocr::graph {

void mark_fast_int8(Graph& graph) {
  for (Node& node : graph.nodes)
    if (node.precision == kInt8Precision) node.attrs[kFastInt8] = true;
}

}  // namespace edgeocr::graph
