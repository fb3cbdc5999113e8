#include "graph/passes/remove_dead.h"

#include <algorithm>
#include <ranges>

namespace edgeocr::graph {

void remove_dead(Graph& graph) {
  std::vector<bool> read(graph.values.size(), false);
  auto is_read = [&](const Port& port) { return port.value != kNoValue && read[static_cast<size_t>(port.value)]; };
  for (ValueId output : graph.outputs) read[static_cast<size_t>(output)] = true;

  std::vector<Node> kept;
  for (Node& node : graph.nodes | std::views::reverse) {
    if (std::ranges::none_of(node.outputs, is_read)) continue;
    // A tail has no outputs but those that something reads.
    for (Port& port : node.outputs)
      if (node.tail == nullptr && !is_read(port)) port.value = kNoValue;
    for (const Port& port : node.inputs)
      if (port.value != kNoValue) read[static_cast<size_t>(port.value)] = true;
    kept.push_back(std::move(node));
  }
  std::ranges::reverse(kept);
  graph.nodes = std::move(kept);
  for (size_t v = 0; v < graph.values.size(); v++)
    if (!read[v]) graph.values[v].constant.reset();
}

}  // namespace edgeocr::graph
