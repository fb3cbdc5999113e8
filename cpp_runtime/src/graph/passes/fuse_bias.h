#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// elementwise_add of one constant per output channel behind a convolution, per column behind a matrix product, becomes the Bias of
// an fp32 convolution that has none, else the addend of the product's tail. (An int8 product multiplies and adds its own Bias in one
// rounding; the addend is rounded apart, as the file has it.) Models of Paddle 2.6 and recognisers of opt 2.10 have such additions.
void fuse_bias(Graph& graph);

}  // namespace edgeocr::graph
