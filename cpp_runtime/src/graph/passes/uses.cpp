#include "graph/passes/uses.h"

namespace edgeocr::graph {

Uses::Uses(const Graph& graph) : producers_(graph.values.size(), -1), readers_(graph.values.size()), outputs_(graph.values.size()) {
  for (size_t n = 0; n < graph.nodes.size(); n++) {
    for (const Port& port : graph.nodes[n].inputs)
      if (port.value != kNoValue) readers_[static_cast<size_t>(port.value)].push_back(static_cast<int>(n));
    for (const Port& port : graph.nodes[n].outputs)
      if (port.value != kNoValue) producers_[static_cast<size_t>(port.value)] = static_cast<int>(n);
  }
  for (ValueId output : graph.outputs) outputs_[static_cast<size_t>(output)] = true;
}

int Uses::sole_reader(ValueId value) const {
  if (value == kNoValue || is_output(value)) return -1;
  const std::vector<int>& all = readers(value);
  return all.size() == 1 ? all[0] : -1;
}

}  // namespace edgeocr::graph
