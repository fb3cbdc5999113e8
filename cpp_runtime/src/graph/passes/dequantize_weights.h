#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Weight-only quantised models (opt --quant_model): int8 or int16 parameters, biases too, of operators whose kernels are fp32,
// with attributes <argument>_quant_scale, one factor per output channel. They become fp32 constants: value = q * scale.
// Fails where a scale does not fit its parameter.
void dequantize_weights(Graph& graph);

}  // namespace edgeocr::graph
