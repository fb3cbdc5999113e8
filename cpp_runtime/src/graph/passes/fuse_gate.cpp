#include "graph/passes/fuse_gate.h"

#include <vector>

#include "graph/passes/convolution.h"
#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

bool is_gating(const Node& node, const Graph& graph, const std::vector<Inferred>& values) {
  if (node.op != "elementwise_mul" || node.precision != kFp32Precision || !takes_addend(tail_of(node))) return false;
  const ValueId x = node.input("X"), y = node.input("Y");
  if (graph.constant(x) != nullptr || graph.constant(y) != nullptr) return false;
  const Shape &map = values[static_cast<size_t>(x)].shape, &gate = values[static_cast<size_t>(y)].shape;
  return map.rank() == 4 && gate == Shape{map[0], map[1], 1, 1};
}

}  // namespace

void fuse_gate(Graph& graph) {
  if (has_int8(graph)) return;
  const std::vector<Inferred> values = probe_shapes(graph);
  if (values.empty()) return;
  rewrite(graph, [&](const Uses& uses, size_t n) {
    Node& conv = graph.nodes[n];
    if (!is_same_conv(conv, graph, 1) || conv.precision != kFp32Precision || conv.input("Gate") != kNoValue) return false;
    const ValueId gated = conv.input("Input");
    const int maker = uses.producer(gated);
    if (maker < 0 || uses.sole_reader(gated) != static_cast<int>(n)) return false;
    Node& gating = graph.nodes[static_cast<size_t>(maker)];
    if (!is_gating(gating, graph, values)) return false;
    const Shape& map = values[static_cast<size_t>(gated)].shape;
    if (map[2] * map[3] <= output_channels(conv, graph)) return false;
    conv.inputs[static_cast<size_t>(conv.input_position("Input"))].value = gating.input("X");
    conv.inputs.push_back({"Gate", 0, gating.input("Y")});
    take_out(gating);
    return true;
  });
}

}  // namespace edgeocr::graph
