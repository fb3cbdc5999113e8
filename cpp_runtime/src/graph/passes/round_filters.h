#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// The filters of convolutions that compute in fp16, as constants of fp32 with values that fp16 has. Kernels that convert them one by one
// round every weight to the nearest; what a filter makes of an even surface is then off by the sum of these errors, and pictures of text
// are mostly such surfaces. So the error of each weight is carried to the next of its window, as dithering does with grey levels: the sum
// over the window is right, and what is off moves to detail finer than the map shows. A 1x1 filter has no window: its weights are rounded
// each by itself.
//
// Runs behind lower_to_fp16. Filters that kernels transform first (Winograd, sources that are upsampled) are rounded once more there.
void round_filters(Graph& graph);

}  // namespace edgeocr::graph
