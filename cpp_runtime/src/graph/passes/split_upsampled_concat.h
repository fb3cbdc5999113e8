#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// A 3x3 convolution over a concat of channels, some of them upsampled by nearest, becomes conv2d_over_upsampled: each source is
// convolved at its own resolution, and neither the upsampled maps nor the concat exist. In int8 the sums stay exact.
void split_upsampled_concat(Graph& graph);

}  // namespace edgeocr::graph
