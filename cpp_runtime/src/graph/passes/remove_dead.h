#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Removes nodes whose results nobody reads, marks single unread outputs of the others with kNoValue, and lets go of parameters
// that are no longer read.
void remove_dead(Graph& graph);

}  // namespace edgeocr::graph
