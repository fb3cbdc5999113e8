#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Tells the kernels of int8 operators (is_fast_int8, precision.h) that they may take shorter ways from sums to results: an int8 result may
// differ by one where the value is within a tenth of a half, an fp32 result by a few hundredths of what one more in the sum makes of it.
void mark_fast_int8(Graph& graph);

}  // namespace edgeocr::graph
