#include "graph/passes/rewrite.h"

#include <cstring>

#include "base/aligned.h"

namespace edgeocr::graph {

void rewrite(Graph& graph, const std::function<bool(const Uses& uses, size_t n)>& fuse) {
  Uses uses(graph);
  for (size_t n = 0; n < graph.nodes.size(); n++)
    if (!graph.nodes[n].op.empty() && fuse(uses, n)) uses.find(graph);
  std::erase_if(graph.nodes, [](const Node& node) { return node.op.empty(); });
}

void take_out(Node& node) { node = Node{}; }

void replace_value(Graph& graph, ValueId from, ValueId to) {
  for (Node& node : graph.nodes)
    for (Port& port : node.inputs)
      if (port.value == from) port.value = to;
  for (ValueId& output : graph.outputs)
    if (output == from) output = to;
}

ValueId add_value(Graph& graph, std::string name, std::shared_ptr<const Constant> constant) {
  graph.values.push_back({std::move(name), std::move(constant)});
  return static_cast<ValueId>(graph.values.size() - 1);
}

std::shared_ptr<const Constant> make_constant(std::span<const float> values, const Shape& shape) {
  auto memory = allocate_aligned(values.size_bytes(), "constant");
  std::memcpy(memory.get(), values.data(), values.size_bytes());
  std::span<const std::byte> data(memory.get(), values.size_bytes());
  return std::make_shared<Constant>(Constant{DataType::f32, shape, std::move(memory), data});
}

}  // namespace edgeocr::graph
