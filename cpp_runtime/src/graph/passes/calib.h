// Questions that passes ask of calib.
#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// calib from fp32 to int8.
inline bool is_quantising(const Node& node) { return node.op == "calib" && node.alias == "fp32_to_int8"; }

// Its scale; fails where that is not one number above 0.
float calib_scale(const Node& node);

}  // namespace edgeocr::graph
