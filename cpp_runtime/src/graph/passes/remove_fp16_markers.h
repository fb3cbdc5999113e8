#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// A model converted with enable_fp16 holds fp32 parameters; its operators only say that they may run in fp16. This engine runs
// them in fp32: precision 5 becomes 1, the calibs between fp32 and fp16 go.
void remove_fp16_markers(Graph& graph);

}  // namespace edgeocr::graph
