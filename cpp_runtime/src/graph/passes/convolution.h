// Questions that several passes ask of convolutions and upsamplings.
#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// A dense conv2d of stride 1 without dilation and groups whose padding keeps the size: kernel x kernel, pads kernel / 2.
bool is_same_conv(const Node& node, const Graph& graph, int64_t kernel);

// Has act_type of its own.
bool has_activation(const Node& node);

// Output channels of a convolution, columns of a product with a constant matrix; -1 of anything else.
int64_t output_channels(const Node& node, const Graph& graph);

// The factor of a nearest_interp(_v2) of a computed map that repeats every pixel exactly so often in both directions, whatever the size; 0
// of anything else. Powers of two up to 16 only: their inverse is exact, so that the source index is x / factor for every x.
int nearest_factor(const Node& node, const Graph& graph);

}  // namespace edgeocr::graph
