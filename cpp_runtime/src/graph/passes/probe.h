// Shapes of a graph's values at one plausible input size. A graph has no shapes of its own; what passes ask of them (ranks, channel
// counts, which maps are of one size) does not depend on the input's.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace edgeocr::graph {

// One entry per value; empty where the graph runs at none of the sizes tried, so that passes which need shapes do nothing.
std::vector<Inferred> probe_shapes(const Graph& graph);

}  // namespace edgeocr::graph
