#include "graph/passes/uses.h"

#include <numeric>

namespace edgeocr::graph {

void Uses::find(const Graph& graph) {
  const size_t values = graph.values.size();
  producers_.assign(values, -1);
  outputs_.assign(values, false);
  for (ValueId output : graph.outputs) outputs_[static_cast<size_t>(output)] = true;
  // Counted into the place of the next value but one, a sum over them is where the next one's readers begin; each reader moves that on.
  first_reader_.assign(values + 2, 0);
  for (const Node& node : graph.nodes)
    for (const Port& port : node.inputs)
      if (port.value != kNoValue) first_reader_[static_cast<size_t>(port.value) + 2]++;
  std::partial_sum(first_reader_.begin(), first_reader_.end(), first_reader_.begin());
  readers_.resize(first_reader_.back());
  for (size_t n = 0; n < graph.nodes.size(); n++) {
    for (const Port& port : graph.nodes[n].inputs)
      if (port.value != kNoValue) readers_[first_reader_[static_cast<size_t>(port.value) + 1]++] = static_cast<int>(n);
    for (const Port& port : graph.nodes[n].outputs)
      if (port.value != kNoValue) producers_[static_cast<size_t>(port.value)] = static_cast<int>(n);
  }
}

int Uses::sole_reader(ValueId value) const {
  if (value == kNoValue || is_output(value)) return -1;
  const std::span<const int> all = readers(value);
  return all.size() == 1 ? all[0] : -1;
}

}  // namespace edgeocr::graph
