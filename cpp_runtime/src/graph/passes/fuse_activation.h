#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// relu, hard_swish, sigmoid, … that alone read a node's result move into its tail.
void fuse_activation(Graph& graph);

}  // namespace edgeocr::graph
