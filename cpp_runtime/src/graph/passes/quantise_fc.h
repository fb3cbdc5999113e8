#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Dynamic int8 (SessionOptions::dynamic_int8). Turns products of fp32 rows with a constant fp32 matrix (fc, mul, matmul, matmul_v2) into
// nodes "dynamic_fc", where that saves a processor with dot products of bytes enough work. Such a node has
//   Input, Bias, in_num_col_dims, op_type, activation_type, outputs and tail as an fc has them,
//   W, int8 [K, N], and W0_scale, N floats: every column is quantised by its own largest magnitude,
// and quantises every row of its input likewise when it runs (kernels/dynamic_int8.h). Maps stay fp32, and so does Node::precision.
// Runs behind the fusion passes, before lower_to_fp16. Returns how many nodes it changed.
int quantise_fc(Graph& graph);

}  // namespace edgeocr::graph
