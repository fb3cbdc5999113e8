#include "graph/passes/greedy_ctc.h"

#include <algorithm>
#include <utility>

#include "graph/passes/probe.h"
#include "graph/passes/remove_dead.h"
#include "graph/passes/rewrite.h"

namespace edgeocr::graph {

namespace {

bool is_softmax_over_classes(const Node& node, const Shape& scores) {
  if (node.op != "softmax" || node.tail != nullptr) return false;
  const int64_t axis = node.attr_int("axis", -1);
  return axis == -1 || axis == scores.rank() - 1;
}

}  // namespace

void end_in_greedy_ctc(Graph& graph) {
  const std::vector<Inferred> values = probe_shapes(graph);
  if (values.empty() || graph.outputs.empty()) return;
  ValueId scores = graph.outputs[0];
  const Inferred& output = values[static_cast<size_t>(scores)];
  if (output.shape.rank() != 3 || output.dtype != DataType::f32 || output.known != nullptr) return;

  Node ctc;
  ctc.op = "greedy_ctc";
  ctc.index = static_cast<int>(graph.nodes.size());
  const int producer = Uses(graph).producer(scores);
  const bool softmax = producer >= 0 && is_softmax_over_classes(graph.nodes[static_cast<size_t>(producer)], output.shape);
  if (softmax) scores = graph.nodes[static_cast<size_t>(producer)].input("X");
  ctc.attrs["softmax"] = softmax;
  ctc.inputs.push_back({"X", 0, scores});
  for (int i = 0; i < 2; i++) ctc.outputs.push_back({"Out", i, add_value(graph, i == 0 ? "classes" : "probabilities")});
  graph.outputs[0] = ctc.outputs[0].value;
  graph.outputs.insert(graph.outputs.begin() + 1, ctc.outputs[1].value);
  graph.nodes.push_back(std::move(ctc));
  remove_dead(graph);
}

ValueId greedy_ctc_scores(const Graph& graph) {
  const auto it = std::ranges::find(graph.nodes, "greedy_ctc", &Node::op);
  return it == graph.nodes.end() ? kNoValue : it->input("X");
}

}  // namespace edgeocr::graph
