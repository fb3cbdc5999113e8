#include "graph/passes/over_upsampled.h"

#include "graph/passes/rewrite.h"

namespace edgeocr::graph {

Node over_upsampled(Graph& graph, const Node& conv, std::vector<UpsampledSource> sources) {
  Node node = conv;
  node.op = "conv2d_over_upsampled";
  std::erase_if(node.inputs, [](const Port& port) { return port.parameter == "Input" || port.parameter == "Filter"; });
  std::vector<int32_t> factors;
  int index = 0;
  for (UpsampledSource& source : sources) {
    node.inputs.push_back({"X", index, source.value});
    node.inputs.push_back({"Filter", index, add_value(graph, graph.value(conv.input("Filter")).name, std::move(source.filter))});
    factors.push_back(source.factor);
    index++;
  }
  node.attrs["factors"] = std::move(factors);
  return node;
}

}  // namespace edgeocr::graph
