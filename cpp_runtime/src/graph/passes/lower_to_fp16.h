#pragma once

#include <functional>

#include "graph/graph.h"

namespace edgeocr::graph {

// Nodes of fp32 for which has_kernel says yes (it is asked with the node at its fp16 precision) compute in fp16: they read fp16 maps, and
// give such to each other. Conversions (calib fp32_to_fp16, fp16_to_fp32) stand between them and the rest; what a node gives to the
// rest alone, or returns from the graph, it gives as fp32 by its tail. Weights stay fp32 constants. Elementwise operators and pooling,
// which cost less than the conversion of their maps, do so only where what makes one of their inputs does.
// Sums of many products in fp16 are quicker if the products join one by one, and err more. A map that the graph returns is as steep as
// text borders are, and shows it; what a graph decides by a few classes does not. So nodes get kLongSums (precision.h) unless the graph
// returns a map of several pixels, or its shapes are not known.
void lower_to_fp16(Graph& graph, const std::function<bool(const Node& node)>& has_kernel);

}  // namespace edgeocr::graph
