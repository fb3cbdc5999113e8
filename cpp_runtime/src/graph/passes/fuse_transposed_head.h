#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Two fp32 conv2d_transpose of 2x2 with steps of two, relu between, the second with one output channel, become one
// conv2d_transpose_pair: every pixel of the input then makes 4x4 pixels by itself, and the map between need not be.
//
//   output = f(transposed(relu(transposed(Input, Filter[0]) + Bias[0]), Filter[1]) + Bias[1])
//
// Filters [I, H, 2, 2] and [H, 1, 2, 2], biases optional; activation and tail are those of the second.
void fuse_transposed_head(Graph& graph);

}  // namespace edgeocr::graph
