#include "graph/operators.h"

#include <algorithm>

#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

namespace {

using enum Evaluation;

// Sorted by name.
const std::vector<Operator>& table() {
  static const std::vector<Operator> operators = {
      {"batch_norm", "Y", {"X", "Scale", "Bias", "Mean", "Variance"}, {"Scale", "Bias", "Mean", "Variance"}, never, infer_batch_norm},
      {"calib", "Out", {"Input"}, {}, never, infer_calib},
      {"concat", "Out", {"X"}, {}, with_known_inputs, infer_concat},
      {"conv2d", "Output", {"Input", "Filter"}, {"Filter", "Bias"}, never, infer_conv},
      {"conv2d_over_upsampled", "Output", {"X", "Filter"}, {"Filter", "Bias"}, never, infer_conv_over_upsampled},
      {"conv2d_transpose", "Output", {"Input", "Filter"}, {"Filter", "Bias"}, never, infer_conv_transpose},
      {"conv2d_transpose_pair", "Output", {"Input", "Filter"}, {"Filter", "Bias"}, never, infer_conv_transpose_pair},
      {"depthwise_conv2d", "Output", {"Input", "Filter"}, {"Filter", "Bias"}, never, infer_conv},
      {"dynamic_fc", "Out", {"Input", "W"}, {"W", "Bias"}, never, infer_fc},
      {"elementwise_add", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"elementwise_div", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"elementwise_mul", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"elementwise_sub", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"fc", "Out", {"Input", "W"}, {"W", "Bias"}, never, infer_fc},
      {"fill_constant", "Out", {}, {}, always, infer_fill_constant},
      {"fill_constant_batch_size_like", "Out", {"Input"}, {}, always, infer_fill_constant_batch_size_like},
      {"flatten2", "Out", {"X"}, {}, with_known_inputs, infer_flatten2},
      {"flatten_contiguous_range", "Out", {"X"}, {}, with_known_inputs, infer_flatten_contiguous_range},
      {"fusion_elementwise_add_activation", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"fusion_elementwise_div_activation", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"fusion_elementwise_mul_activation", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"fusion_elementwise_sub_activation", "Out", {"X", "Y"}, {}, never, infer_elementwise},
      {"greedy_ctc", "Out", {"X"}, {}, never, infer_greedy_ctc},
      {"hard_sigmoid", "Out", {"X"}, {}, never, infer_activation},
      {"hard_swish", "Out", {"X"}, {}, never, infer_activation},
      {"leaky_relu", "Out", {"X"}, {}, never, infer_activation},
      {"matmul", "Out", {"X", "Y"}, {}, never, infer_matmul},
      {"matmul_v2", "Out", {"X", "Y"}, {}, never, infer_matmul},
      {"mul", "Out", {"X", "Y"}, {"Y"}, never, infer_mul},
      {"nearest_interp", "Out", {"X"}, {}, never, infer_nearest_interp},
      {"nearest_interp_v2", "Out", {"X"}, {}, never, infer_nearest_interp},
      {"pool2d", "Out", {"X"}, {}, never, infer_pool},
      {"relu", "Out", {"X"}, {}, never, infer_activation},
      {"relu6", "Out", {"X"}, {}, never, infer_activation},
      {"reshape2", "Out", {"X"}, {}, with_known_inputs, infer_reshape},
      {"rnn", "Out", {"Input", "PreState", "WeightList"}, {"WeightList"}, never, infer_rnn},
      {"scale", "Out", {"X"}, {}, never, infer_activation},
      {"shape", "Out", {"Input"}, {}, always, infer_shape},
      {"sigmoid", "Out", {"X"}, {}, never, infer_activation},
      {"slice", "Out", {"Input"}, {}, with_known_inputs, infer_slice},
      {"softmax", "Out", {"X"}, {}, never, infer_softmax},
      {"split", "Out", {"X"}, {}, never, infer_split},
      {"squeeze2", "Out", {"X"}, {}, with_known_inputs, infer_squeeze},
      {"swish", "Out", {"X"}, {}, never, infer_activation},
      {"tanh", "Out", {"X"}, {}, never, infer_activation},
      {"transpose2", "Out", {"X"}, {}, never, infer_transpose},
      {"unsqueeze2", "Out", {"X"}, {}, with_known_inputs, infer_unsqueeze},
  };
  return operators;
}

}  // namespace

const Operator* find_operator(std::string_view name) {
  auto it = std::ranges::lower_bound(table(), name, {}, &Operator::name);
  return it != table().end() && it->name == name ? &*it : nullptr;
}

std::vector<bool> evaluated_nodes(const Graph& graph) {
  std::vector<bool> known(graph.values.size()), evaluated(graph.nodes.size());
  for (size_t v = 0; v < known.size(); v++) known[v] = graph.values[v].constant != nullptr;
  for (size_t n = 0; n < graph.nodes.size(); n++) {
    const Node& node = graph.nodes[n];
    const Operator* op = find_operator(node.op);
    if (op == nullptr) continue;
    auto is_known = [&](const Port& port) { return port.value == kNoValue || known[static_cast<size_t>(port.value)]; };
    evaluated[n] = op->evaluation == always || (op->evaluation == with_known_inputs && std::ranges::all_of(node.inputs, is_known));
    if (!evaluated[n]) continue;
    for (const Port& port : node.outputs)
      if (port.value != kNoValue) known[static_cast<size_t>(port.value)] = true;
  }
  return evaluated;
}

}  // namespace edgeocr::graph
