#include "graph/passes/fuse_activation.h"

#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"
#include "kernels/unary.h"

namespace edgeocr::graph {

void fuse_activation(Graph& graph) {
  rewrite(graph, [&](const Uses& uses, size_t n) {
    Node& activation = graph.nodes[n];
    if (!kernels::is_unary(activation.op) || activation.tail != nullptr) return false;
    const ValueId input = activation.input("X");
    const int maker = uses.producer(input);
    if (maker < 0 || uses.sole_reader(input) != static_cast<int>(n)) return false;
    Node& node = graph.nodes[static_cast<size_t>(maker)];
    if (!takes_tail(node) || !takes_activation(tail_of(node))) return false;
    FusedTail tail = tail_of(node);
    node.outputs[0].value = activation.outputs[0].value;
    tail.activation = std::make_shared<const Node>(std::move(activation));
    set_tail(node, std::move(tail));
    take_out(activation);
    return true;
  });
}

}  // namespace edgeocr::graph
