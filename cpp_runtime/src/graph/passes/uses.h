// Who makes and who reads the values of a graph, at one moment: any change of nodes or ports makes it stale.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"

namespace edgeocr::graph {

class Uses {
 public:
  explicit Uses(const Graph& graph) { find(graph); }
  // Looks again, after a change, into the memory that is there.
  void find(const Graph& graph);

  // Indices in Graph::nodes; -1: a graph input, a constant, kNoValue.
  int producer(ValueId value) const { return value == kNoValue ? -1 : producers_[static_cast<size_t>(value)]; }
  // One entry per port that reads the value.
  std::span<const int> readers(ValueId value) const {
    const auto v = static_cast<size_t>(value);
    return std::span(readers_).subspan(first_reader_[v], first_reader_[v + 1] - first_reader_[v]);
  }
  bool is_output(ValueId value) const { return outputs_[static_cast<size_t>(value)]; }
  // The node whose one port is all that reads the value; -1 if there are more readers, none, or the graph returns it.
  int sole_reader(ValueId value) const;

 private:
  std::vector<int> producers_;
  std::vector<int> readers_;          // of all values, one after the other
  std::vector<size_t> first_reader_;  // of each value, and where the last one's end
  std::vector<bool> outputs_;
};

}  // namespace edgeocr::graph
