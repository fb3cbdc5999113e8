#include "graph/passes/bypass.h"

#include <numeric>

namespace edgeocr::graph {

void bypass_nodes(Graph& graph, const std::function<ValueId(Node& node)>& source) {
  std::vector<ValueId> stands_for(graph.values.size());
  std::iota(stands_for.begin(), stands_for.end(), 0);
  auto resolve = [&](ValueId id) { return id == kNoValue ? id : stands_for[static_cast<size_t>(id)]; };

  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    for (Port& port : node.inputs) port.value = resolve(port.value);
    ValueId value = node.outputs.empty() ? kNoValue : source(node);
    if (value == kNoValue) kept.push_back(std::move(node));
    else stands_for[static_cast<size_t>(node.outputs[0].value)] = value;
  }
  graph.nodes = std::move(kept);
  for (ValueId& output : graph.outputs) output = resolve(output);
}

}  // namespace edgeocr::graph
