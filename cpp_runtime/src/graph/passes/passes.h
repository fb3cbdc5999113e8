// The passes over a freshly lowered graph, in the order in which they run.
#pragma once

#include <span>
#include <string_view>

#include "graph/graph.h"

namespace edgeocr::graph {

struct Pass {
  std::string_view name;
  void (*run)(Graph& graph);
};

std::span<const Pass> passes();

}  // namespace edgeocr::graph
