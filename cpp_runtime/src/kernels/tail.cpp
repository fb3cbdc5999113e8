#include "kernels/tail.h"

#include "base/error.h"
#include "graph/fused_tail.h"

namespace edgeocr::kernels {

namespace {

TailParameters::Output output_of(const graph::Node& node, const graph::FusedTail::Output& output) {
  if (output.dtype == DataType::f32 || output.dtype == DataType::f16) return {output.dtype};
  if (output.dtype != DataType::i8)
    fail("%s: output of its tail is %s, expected fp32, fp16 or int8", node.label().c_str(), name_of(output.dtype));
  if (!(output.scale > 0))
    fail("%s: scale of its tail is %g, expected more than 0", node.label().c_str(), static_cast<double>(output.scale));
  return {DataType::i8, 1.0f / output.scale};
}

}  // namespace

TailParameters parse_tail(const graph::Node& node, const graph::Graph& graph) {
  TailParameters p;
  if (node.tail == nullptr) {
    p.outputs.resize(1);
    return p;
  }
  const graph::FusedTail& tail = *node.tail;
  if (tail.addend != nullptr) {
    const auto values = tail.addend->as<float>();
    p.addend.assign(values.begin(), values.end());
  }
  if (tail.activation != nullptr) p.activation = unary_of(*tail.activation);
  if (tail.residual >= static_cast<int>(node.inputs.size()) || tail.residual_scale < 1)
    fail("%s: %s: residual of its tail is input %d, enlarged %d times", graph.name.c_str(), node.label().c_str(), tail.residual,
         tail.residual_scale);
  p.residual = tail.residual;
  p.residual_scale = tail.residual_scale;
  if (tail.outputs.empty() || tail.outputs.size() != node.outputs.size())
    fail("%s: its tail has %zu outputs, expected the node's %zu", node.label().c_str(), tail.outputs.size(), node.outputs.size());
  for (const auto& output : tail.outputs) p.outputs.push_back(output_of(node, output));
  return p;
}

}  // namespace edgeocr::kernels
