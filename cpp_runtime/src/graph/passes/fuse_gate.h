#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// The gates of a squeeze-and-excitation block, one per channel, that multiply a map which only a 1x1 convolution reads: the convolution
// takes them as its input "Gate" [N, C, 1, 1] and multiplies its weights by them, which are fewer where a map has more pixels than the
// convolution has outputs. Of nets without int8, as it rounds other values.
void fuse_gate(Graph& graph);

}  // namespace edgeocr::graph
