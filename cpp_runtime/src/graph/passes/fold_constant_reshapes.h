#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// reshape2, squeeze2, unsqueeze2 and flatten of a parameter, with sizes in the attributes, become constants over the same
// bytes. Models exported by Paddle 2.6 reshape every convolution bias [C] to [1, C, 1, 1], which opt leaves in the program.
void fold_constant_reshapes(Graph& graph);

}  // namespace edgeocr::graph
