#include "graph/passes/fuse_transposed_head.h"

#include <algorithm>

#include "graph/fused_tail.h"
#include "graph/passes/convolution.h"
#include "graph/passes/rewrite.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

bool all_are(const Node& node, std::string_view name, int64_t expected, std::vector<int64_t> fallback) {
  return std::ranges::all_of(node.attr_ints(name, std::move(fallback)), [&](int64_t v) { return v == expected; });
}

// fp32, 2x2 with steps of two, nothing cut off and nothing added.
bool is_doubling(const Node& node, const Graph& graph) {
  const Constant* filter = graph.constant(node.input("Filter"));
  if (node.op != "conv2d_transpose" || node.precision == kInt8Precision || filter == nullptr || filter->dtype != DataType::f32)
    return false;
  if (filter->shape.rank() != 4 || filter->shape[2] != 2 || filter->shape[3] != 2) return false;
  return all_are(node, "strides", 2, {1, 1}) && all_are(node, "paddings", 0, {}) && all_are(node, "dilations", 1, {}) &&
         node.attr_int("groups", 1) == 1 && node.attr_string("padding_algorithm", "EXPLICIT") != "SAME" &&
         node.attr_ints("output_padding").empty() && node.attr_ints("output_size").empty();
}

bool has_relu(const Node& node) {
  if (node.attr_int("with_act", 0) != 0) return node.attr_string("act_type") == "relu";
  return node.attr_int("fuse_relu", 0) != 0;
}

// The result is relu of the convolution, and nothing else is done to it.
bool ends_in_relu(const Node& node) {
  if (node.tail == nullptr) return has_relu(node);
  const FusedTail& tail = *node.tail;
  if (tail.addend != nullptr || tail.residual >= 0 || tail.outputs.size() != 1 || tail.outputs[0].dtype != DataType::f32) return false;
  return tail.activation != nullptr && tail.activation->op == "relu" && !has_activation(node);
}

void add_port(Node& node, const Node& from, const char* parameter, int index) {
  const ValueId value = from.input(parameter);
  if (value != kNoValue) node.inputs.push_back({parameter, index, value});
}

}  // namespace

void fuse_transposed_head(Graph& graph) {
  rewrite(graph, [&](const Uses& uses, size_t n) {
    const Node& second = graph.nodes[n];
    if (!is_doubling(second, graph) || graph.constant(second.input("Filter"))->shape[1] != 1) return false;
    const ValueId between = second.input("Input");
    const int maker = uses.producer(between);
    if (maker < 0 || uses.sole_reader(between) != static_cast<int>(n)) return false;
    Node& first = graph.nodes[static_cast<size_t>(maker)];
    if (!is_doubling(first, graph) || !ends_in_relu(first) || graph.constant(first.input("Input")) != nullptr) return false;
    if (second.tail != nullptr && second.tail->residual >= 0) return false;  // it counts the inputs
    Node pair = second;
    pair.op = "conv2d_transpose_pair";
    pair.inputs = {{"Input", 0, first.input("Input")}};
    for (const char* parameter : {"Filter", "Bias"}) {
      add_port(pair, first, parameter, 0);
      add_port(pair, second, parameter, 1);
    }
    graph.nodes[n] = std::move(pair);
    take_out(first);
    return true;
  });
}

}  // namespace edgeocr::graph
