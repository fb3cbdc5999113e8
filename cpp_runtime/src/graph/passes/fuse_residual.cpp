#include "graph/passes/fuse_residual.h"

#include <algorithm>

#include "graph/passes/convolution.h"
#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"

namespace edgeocr::graph {

namespace {

// The node that can take the addition in: its index, else -1.
int candidate(const Graph& graph, const Uses& uses, ValueId value) {
  const int maker = uses.producer(value);
  if (maker < 0 || uses.sole_reader(value) < 0) return -1;
  const Node& node = graph.nodes[static_cast<size_t>(maker)];
  return is_product(node) && takes_tail(node) && takes_residual(tail_of(node)) ? maker : -1;
}

// Makes `value` the residual of a node's tail, or what it was upsampled from.
void add_residual(const Graph& graph, const Uses& uses, ValueId value, Node& node) {
  FusedTail tail = tail_of(node);
  const int maker = uses.producer(value);
  if (const int factor = maker < 0 ? 0 : nearest_factor(graph.nodes[static_cast<size_t>(maker)], graph); factor > 0) {
    value = graph.nodes[static_cast<size_t>(maker)].input("X");
    tail.residual_scale = factor;
  }
  tail.residual = static_cast<int>(node.inputs.size());
  node.inputs.push_back({"Residual", 0, value});
  set_tail(node, std::move(tail));
}

}  // namespace

void fuse_residual(Graph& graph) {
  const std::vector<Inferred> shapes = probe_shapes(graph);
  if (shapes.empty()) return;
  rewrite(graph, [&](const Uses& uses, size_t n) {
    Node& add = graph.nodes[n];
    if (add.op != "elementwise_add" || add.tail != nullptr) return false;
    const ValueId x = add.input("X"), y = add.input("Y");
    if (graph.constant(x) != nullptr || graph.constant(y) != nullptr) return false;
    if (!(shapes[static_cast<size_t>(x)].shape == shapes[static_cast<size_t>(y)].shape)) return false;
    const int from_x = candidate(graph, uses, x), from_y = candidate(graph, uses, y);
    if (from_x < 0 && from_y < 0) return false;

    Node& product = graph.nodes[static_cast<size_t>(std::max(from_x, from_y))];
    add_residual(graph, uses, from_x > from_y ? y : x, product);
    product.outputs[0].value = add.outputs[0].value;
    add = std::move(product);
    take_out(product);
    return true;
  });
}

}  // namespace edgeocr::graph
