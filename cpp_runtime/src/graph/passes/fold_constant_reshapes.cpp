#include "graph/passes/fold_constant_reshapes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "graph/infer/infer_context.h"
#include "graph/operators.h"

namespace edgeocr::graph {

namespace {

bool is_reshape(const Node& node) {
  constexpr std::array<std::string_view, 5> kReshapes{"reshape2", "squeeze2", "unsqueeze2", "flatten2", "flatten_contiguous_range"};
  return std::ranges::find(kReshapes, node.op) != kReshapes.end();
}

}  // namespace

void fold_constant_reshapes(Graph& graph) {
  std::vector<Node> kept;
  std::vector<Inferred> values(graph.values.size());
  for (Node& node : graph.nodes) {
    bool folds = is_reshape(node) && node.inputs.size() == 1 && node.outputs.size() == 1 && graph.constant(node.inputs[0].value) != nullptr;
    if (folds) {
      auto at = [&](const Port& port) { return static_cast<size_t>(port.value); };
      const auto& constant = graph.values[at(node.inputs[0])].constant;
      values[at(node.inputs[0])] = {constant->dtype, constant->shape, constant};
      InferContext context(graph, node, values);
      find_operator(node.op)->infer(context);
      graph.values[at(node.outputs[0])].constant = values[at(node.outputs[0])].known;
    } else {
      kept.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(kept);
}

}  // namespace edgeocr::graph
