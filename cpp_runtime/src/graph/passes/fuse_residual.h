#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// elementwise_add of two maps of one size: the one that a convolution or matrix product makes for this addition alone takes the
// other as the residual of its tail, through a nearest upsampling by 2, 4, 8 or 16 if that is what makes the other. The joint node
// takes the addition's place, so that both operands are there; of two candidates the later one is taken.
void fuse_residual(Graph& graph);

}  // namespace edgeocr::graph
