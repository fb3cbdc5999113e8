#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Fails on an operator that the engine does not know, on one that lacks an input, and where a computed tensor stands for a
// weight: kernels may rely on what passes here.
void check_operators(Graph& graph);

}  // namespace edgeocr::graph
