#include "graph/passes/lower_to_fp16.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

bool may_return_map(const Graph& graph) {
  const std::vector<Inferred> values = probe_shapes(graph);
  return values.empty() || std::ranges::any_of(graph.outputs, [&](ValueId output) {
           const Shape& shape = values[static_cast<size_t>(output)].shape;
           return shape.rank() == 4 && shape[2] * shape[3] > 1;
         });
}

class Lowering {
 public:
  Lowering(Graph& graph, const std::function<bool(const Node& node)>& has_kernel)
      : graph_(graph), long_sums_(!may_return_map(graph)), fp16_(graph.values.size()) {
    const Uses uses(graph);
    const auto is_lowered = [&](int n) { return static_cast<bool>(lowered_[static_cast<size_t>(n)]); };
    const auto is_made_lowered = [&](const Port& port) { return uses.producer(port.value) >= 0 && is_lowered(uses.producer(port.value)); };
    for (const Node& node : graph.nodes)
      lowered_.push_back((!follows(node) || std::ranges::any_of(node.inputs, is_made_lowered)) && can_lower(node, has_kernel));
    for (size_t v = 0; v < fp16_.size(); v++) {
      const auto value = static_cast<ValueId>(v);
      fp16_[v] = uses.producer(value) >= 0 && is_lowered(uses.producer(value)) && std::ranges::any_of(uses.readers(value), is_lowered);
    }
  }

  void run() {
    std::vector<Node> nodes = std::exchange(graph_.nodes, {});
    for (size_t n = 0; n < nodes.size(); n++) {
      if (lowered_[n]) lower(nodes[n]);
      for (Port& port : nodes[n].inputs)
        if (needs_conversion(port.value, lowered_[n])) port.value = converted(port.value, nodes[n].index);
      graph_.nodes.push_back(std::move(nodes[n]));
    }
    for (ValueId& output : graph_.outputs)
      if (needs_conversion(output, false)) output = converted(output, graph_.nodes.back().index);
  }

 private:
  static bool follows(const Node& node) { return node.op == "pool2d" || node.op.starts_with("elementwise_"); }

  static bool can_lower(Node node, const std::function<bool(const Node& node)>& has_kernel) {
    if (std::exchange(node.precision, kFp16Precision) != kFp32Precision) return false;
    return has_kernel(node);
  }

  bool is_fp16(ValueId value) const { return static_cast<size_t>(value) < fp16_.size() && fp16_[static_cast<size_t>(value)]; }

  bool needs_conversion(ValueId value, bool to_fp16) const {
    return value != kNoValue && graph_.constant(value) == nullptr && is_fp16(value) != to_fp16;
  }

  void lower(Node& node) const {
    node.precision = kFp16Precision;
    if (long_sums_) node.attrs[kLongSums] = true;
    FusedTail tail = tail_of(node);
    for (size_t i = 0; i < node.outputs.size(); i++)
      if (is_fp16(node.outputs[i].value)) tail.outputs[i].dtype = DataType::f16;
    set_tail(node, std::move(tail));
  }

  // The value in the other precision, by a node which is made when it is first asked for.
  ValueId converted(ValueId value, int index) {
    const auto found = conversions_.find(value);
    if (found != conversions_.end()) return found->second;
    Node calib;
    calib.op = "calib";
    calib.alias = is_fp16(value) ? "fp16_to_fp32" : "fp32_to_fp16";
    calib.precision = kFp16Precision;
    calib.index = index;
    const ValueId made = add_value(graph_, graph_.value(value).name);
    calib.inputs.push_back({"Input", 0, value});
    calib.outputs.push_back({"Out", 0, made});
    graph_.nodes.push_back(std::move(calib));
    return conversions_[value] = made;
  }

  Graph& graph_;
  bool long_sums_;
  std::vector<bool> lowered_;  // nodes
  std::vector<bool> fp16_;     // values
  std::map<ValueId, ValueId> conversions_;
};

}  // namespace

void lower_to_fp16(Graph& graph, const std::function<bool(const Node& node)>& has_kernel) { Lowering(graph, has_kernel).run(); }

}  // namespace edgeocr::graph
