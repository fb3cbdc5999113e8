#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// calib fp32_to_int8 behind a concat or a nearest upsampling moves in front of it: both only copy elements, so that int8 maps are
// copied instead, and fuse_calib finds the calib behind a convolution. Where all that reads the result is calibs of one scale.
void raise_calib(Graph& graph);

}  // namespace edgeocr::graph
