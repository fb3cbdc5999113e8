#include "graph/passes/fuse_narrowing.h"

#include <utility>

#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"
#include "graph/precision.h"

namespace edgeocr::graph {

void fuse_narrowing(Graph& graph, const std::function<bool(const Node& node)>& has_kernel) {
  rewrite(graph, [&](const Uses& uses, size_t n) {
    Node& calib = graph.nodes[n];
    if (!narrows(calib)) return false;
    const ValueId value = calib.input("Input");
    const int maker = uses.producer(value);
    if (maker < 0 || uses.sole_reader(value) != static_cast<int>(n)) return false;
    Node& node = graph.nodes[static_cast<size_t>(maker)];
    if (node.precision != kInt8Precision || !takes_tail(node) || node.outputs.size() != 1) return false;
    Node narrowing = node;
    FusedTail tail = tail_of(node);
    tail.outputs[0].dtype = DataType::f16;
    set_tail(narrowing, std::move(tail));
    if (!has_kernel(narrowing)) return false;
    narrowing.outputs[0].value = calib.outputs[0].value;
    take_out(calib);
    node = std::move(narrowing);
    return true;
  });
}

}  // namespace edgeocr::graph
