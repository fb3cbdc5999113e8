// What fusion passes do to a graph: join nodes, take nodes out, make values and constants.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "graph/graph.h"
#include "graph/passes/uses.h"

namespace edgeocr::graph {

// Calls fuse(uses, n) for every node in order; true says that it changed the graph. Nodes that it took out (they keep their
// place meanwhile, so that indices hold) are removed at the end. `fuse` may add values but no nodes.
void rewrite(Graph& graph, const std::function<bool(const Uses& uses, size_t n)>& fuse);

void take_out(Node& node);

// Ports and graph outputs that read `from` read `to`.
void replace_value(Graph& graph, ValueId from, ValueId to);

ValueId add_value(Graph& graph, std::string name, std::shared_ptr<const Constant> constant = nullptr);
std::shared_ptr<const Constant> make_constant(std::span<const float> values, const Shape& shape);

}  // namespace edgeocr::graph
