#include "graph/passes/raise_calib.h"

#include <algorithm>

#include "graph/passes/calib.h"
#include "graph/passes/rewrite.h"

namespace edgeocr::graph {

namespace {

bool only_copies(const Node& node) { return node.op == "concat" || node.op == "nearest_interp" || node.op == "nearest_interp_v2"; }

// Whether all that reads the value is calibs of one scale.
bool is_quantised_alike(const Graph& graph, const Uses& uses, ValueId value) {
  if (value == kNoValue || uses.is_output(value) || uses.readers(value).empty()) return false;
  const auto node = [&](int reader) -> const Node& { return graph.nodes[static_cast<size_t>(reader)]; };
  const std::span<const int> readers = uses.readers(value);
  return std::ranges::all_of(readers, [&](int r) { return is_quantising(node(r)); }) &&
         std::ranges::all_of(readers, [&](int r) { return calib_scale(node(r)) == calib_scale(node(readers[0])); });
}

bool copies_computed(const Graph& graph, const Node& node) {
  return std::ranges::all_of(node.all_inputs("X"), [&](ValueId value) { return graph.constant(value) == nullptr; });
}

// Replaces the calibs behind node n by one in front of each of its inputs.
void raise_over(Graph& graph, const Uses& uses, size_t n) {
  const std::span<const int> readers = uses.readers(graph.nodes[n].outputs[0].value);
  const Node calib = graph.nodes[static_cast<size_t>(readers[0])];
  graph.nodes[n].outputs[0].value = calib.outputs[0].value;
  for (int reader : readers) {
    Node& other = graph.nodes[static_cast<size_t>(reader)];
    replace_value(graph, other.outputs[0].value, calib.outputs[0].value);
    take_out(other);
  }
  std::vector<Node> raised;
  for (Port& port : graph.nodes[n].inputs) {
    if (port.parameter != "X") continue;
    Node copy = calib;
    copy.inputs[static_cast<size_t>(copy.input_position("Input"))].value = port.value;
    copy.outputs[0].value = port.value = add_value(graph, graph.value(calib.outputs[0].value).name);
    raised.push_back(std::move(copy));
  }
  graph.nodes.insert(graph.nodes.begin() + static_cast<ptrdiff_t>(n), raised.begin(), raised.end());
}

}  // namespace

void raise_calib(Graph& graph) {
  // Backwards: what is raised over a concat may be raised over the upsamplings before it.
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    if (!only_copies(node) || !copies_computed(graph, node)) continue;
    const Uses uses(graph);
    if (is_quantised_alike(graph, uses, node.outputs[0].value)) raise_over(graph, uses, n);
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.op.empty(); });
}

}  // namespace edgeocr::graph
