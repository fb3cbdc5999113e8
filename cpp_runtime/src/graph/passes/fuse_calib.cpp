#include "graph/passes/fuse_calib.h"

#include <algorithm>

#include "graph/passes/calib.h"
#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"

namespace edgeocr::graph {

namespace {

// Position of the fp32 output, -1 if the tail has none.
int fp32_output(const FusedTail& tail) {
  auto it = std::ranges::find(tail.outputs, DataType::f32, &FusedTail::Output::dtype);
  return it == tail.outputs.end() ? -1 : static_cast<int>(it - tail.outputs.begin());
}

// The value quantised by `scale`: an output that is there already, or `made`, which becomes one.
ValueId int8_output(Node& node, FusedTail& tail, float scale, ValueId made) {
  for (size_t i = 0; i < tail.outputs.size(); i++)
    if (tail.outputs[i].dtype == DataType::i8 && tail.outputs[i].scale == scale) return node.outputs[i].value;
  tail.outputs.push_back({DataType::i8, scale});
  node.outputs.push_back({node.outputs[0].parameter, static_cast<int>(node.outputs.size()), made});
  return made;
}

void drop_output(Node& node, FusedTail& tail, int at) {
  tail.outputs.erase(tail.outputs.begin() + at);
  node.outputs.erase(node.outputs.begin() + at);
  for (size_t i = 0; i < node.outputs.size(); i++) node.outputs[i].index = static_cast<int>(i);
}

}  // namespace

void fuse_calib(Graph& graph) {
  rewrite(graph, [&](const Uses& uses, size_t n) {
    if (!takes_tail(graph.nodes[n])) return false;
    FusedTail tail = tail_of(graph.nodes[n]);
    const int fp32 = fp32_output(tail);
    if (fp32 < 0) return false;
    const ValueId value = graph.nodes[n].outputs[static_cast<size_t>(fp32)].value;
    if (value == kNoValue) return false;

    bool changed = false, read = uses.is_output(value);
    for (int reader : uses.readers(value)) {
      Node& calib = graph.nodes[static_cast<size_t>(reader)];
      if (!is_quantising(calib)) {
        read = true;
        continue;
      }
      const ValueId made = calib.outputs[0].value;
      const float scale = calib_scale(calib);
      take_out(calib);
      const ValueId shared = int8_output(graph.nodes[n], tail, scale, made);
      if (shared != made) replace_value(graph, made, shared);
      changed = true;
    }
    if (!changed) return false;
    if (!read) drop_output(graph.nodes[n], tail, fp32);
    set_tail(graph.nodes[n], std::move(tail));
    return true;
  });
}

}  // namespace edgeocr::graph
