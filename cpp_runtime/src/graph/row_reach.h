// Which rows of its inputs a node needs for some rows of its outputs: what lets a group of nodes work in bands of rows.
#pragma once

#include <optional>
#include <span>

#include "base/tensor.h"
#include "graph/graph.h"

namespace edgeocr::graph {

// Row y of the outputs needs the input's rows (y * stride - before) / divisor … (y * stride + after) / divisor, rounded down, as far as
// the map has them.
struct RowReach {
  int64_t stride = 1, before = 0, after = 0, divisor = 1;
  int64_t height = 0;  // of the input

  RowRange of(RowRange rows) const;
};

// The reach of input port `port`, a computed map. Nothing where the operator is not known to work row by row, or the map is no batch of
// one.
std::optional<RowReach> row_reach(const Node& node, size_t port, std::span<const Inferred> values);

}  // namespace edgeocr::graph
