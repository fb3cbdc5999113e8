// Taking nodes out of a graph whose output equals one of their inputs.
#pragma once

#include <functional>

#include "graph/graph.h"

namespace edgeocr::graph {

// For every node, in order: where `source` names a value, the node's first output is replaced by it everywhere (graph outputs
// included) and the node is removed; where it returns kNoValue, the node stays (and may be changed by `source`).
void bypass_nodes(Graph& graph, const std::function<ValueId(Node& node)>& source);

}  // namespace edgeocr::graph
