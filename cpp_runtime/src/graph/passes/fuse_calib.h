#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// calib fp32_to_int8 behind a node becomes an int8 output of its tail, one per scale; the fp32 output stays only where something
// else reads it.
void fuse_calib(Graph& graph);

}  // namespace edgeocr::graph
