#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// opt (2.10 to 2.13) folds the batch_norm behind an int8 conv2d_transpose into Filter0_scale once per input channel instead of
// once: such files hold ruined scales, and nothing at load can restore them. Fails on a conv2d_transpose of int8.
void reject_int8_deconv(Graph& graph);

}  // namespace edgeocr::graph
