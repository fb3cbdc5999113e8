// Who makes and who reads the values of a graph, at one moment: any change of nodes or ports makes it stale.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace edgeocr::graph {

class Uses {
 public:
  explicit Uses(const Graph& graph);

  // Indices in Graph::nodes; -1: a graph input, a constant, kNoValue.
  int producer(ValueId value) const { return value == kNoValue ? -1 : producers_[static_cast<size_t>(value)]; }
  // One entry per port that reads the value.
  const std::vector<int>& readers(ValueId value) const { return readers_[static_cast<size_t>(value)]; }
  bool is_output(ValueId value) const { return outputs_[static_cast<size_t>(value)]; }
  // The node whose one port is all that reads the value; -1 if there are more readers, none, or the graph returns it.
  int sole_reader(ValueId value) const;

 private:
  std::vector<int> producers_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> outputs_;
};

}  // namespace edgeocr::graph
