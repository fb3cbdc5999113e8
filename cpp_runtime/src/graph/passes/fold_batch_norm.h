#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// batch_norm behind an fp32 convolution, plain or transposed, becomes part of its weights and bias (computed in double).
void fold_batch_norm(Graph& graph);

}  // namespace edgeocr::graph
