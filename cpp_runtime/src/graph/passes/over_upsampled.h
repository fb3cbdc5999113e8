// Making conv2d_over_upsampled nodes.
//
//   output = act(sum over i of conv3x3(up_i(X[i]), Filter[i]) + Bias), up_i repeating every pixel factors[i] times in both directions
//
// Stride 1, one pixel of zero padding around the upsampled maps. inputs X[0..n) maps, Filter[0..n) OIHW constants, Bias optional;
// attribute INTS factors, powers of two. precision, alias, act_type and scales as conv2d has them; with int8 all sources have the one
// Input0_scale, and the sum of all is one exact integer sum.
#pragma once

#include <memory>
#include <vector>

#include "graph/graph.h"

namespace edgeocr::graph {

struct UpsampledSource {
  ValueId value = kNoValue;
  int factor = 1;
  std::shared_ptr<const Constant> filter;
};

// The node in the place of a 3x3 conv2d.
Node over_upsampled(Graph& graph, const Node& conv, std::vector<UpsampledSource> sources);

}  // namespace edgeocr::graph
