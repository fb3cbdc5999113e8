// The passes, in the order in which they run.
#pragma once

#include <span>
#include <string_view>

#include "graph/graph.h"

namespace edgeocr::graph {

struct Pass {
  std::string_view name;
  void (*run)(Graph& graph);
  Int8 from = Int8::exact;  // not for nets that are to be computed closer to Paddle-Lite than this
};

// Over a freshly lowered graph, always: what kernels need.
std::span<const Pass> passes();

// Behind those, where speed is wanted: operators joined (tails of fused_tail.h), calib moved to where it costs nothing, linear
// pyramids factored. int8 results keep their bits but behind passes that are not for exact ones, fp32 results theirs but for rounding
// (factor_fpn, split_upsampled_concat, fold_batch_norm, fuse_gate).
std::span<const Pass> fusion_passes();

}  // namespace edgeocr::graph
