#include "graph/passes/quantise_fc.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "graph/passes/remove_dead.h"
#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"
#include "graph/precision.h"
#include "kernels/dynamic_int8.h"
#include "kernels/generic/fc_form.h"

namespace edgeocr::graph {

namespace {

using kernels::generic::FcForm;

// Cortex-A76 cycles that int8 saves per row, which must be worth the quantisation's error: a multiply-add of four (two) vectors of fp32
// (int8) takes as long as 8 (32) products; quantising a row takes about a cycle per value, bringing back its sums half a cycle each.
constexpr int64_t kLeastSaved = 256;
int64_t saved_cycles(int64_t k, int64_t n) { return k * n / 8 - k * n / 32 - k - n / 2; }

constexpr int64_t kMostDepth = 1 << 16;  // 127 * 127 * K stays an int32

bool is_matrix_product(const Node& node, const Graph& graph) {
  if (node.precision != kFp32Precision) return false;
  if (node.op == "matmul" || node.op == "matmul_v2") return kernels::generic::works_like_fc(node, graph);
  return node.op == "fc" || node.op == "mul";
}

std::optional<FcForm> form_of(const Node& node, const Graph& graph) {
  if (!is_matrix_product(node, graph)) return {};
  const Constant* weights = graph.constant(node.input(node.op == "fc" ? "W" : "Y"));
  if (weights == nullptr || weights->dtype != DataType::f32 || weights->shape.rank() != 2) return {};
  const FcForm form = kernels::generic::fc_form(node, graph);
  if (form.k > kMostDepth || saved_cycles(form.k, form.n) < kLeastSaved) return {};
  if (!std::isfinite(form.alpha) || !std::ranges::all_of(weights->as<float>(), [](float w) { return std::isfinite(w); })) return {};
  return form;
}

struct Quantised {
  std::shared_ptr<std::vector<int8_t>> weights;  // [K, N]
  std::vector<float> scale;                      // N
};

Quantised quantise(std::span<const float> values, const FcForm& form) {
  const auto k = static_cast<size_t>(form.k), n = static_cast<size_t>(form.n);
  Quantised result{std::make_shared<std::vector<int8_t>>(k * n), std::vector<float>(n)};
  std::vector<float> column(k);
  for (size_t c = 0; c < n; c++) {
    for (size_t i = 0; i < k; i++) column[i] = values[form.at(static_cast<int64_t>(i), static_cast<int64_t>(c))];
    const kernels::OwnScale own = kernels::own_scale(kernels::largest_magnitude(column.data(), form.k));
    for (size_t i = 0; i < k; i++) (*result.weights)[i * n + c] = kernels::quantise(column[i], own.inverse);
    result.scale[c] = own.scale * form.alpha;
  }
  return result;
}

Port& port_of(Node& node, std::string_view parameter) { return node.inputs[static_cast<size_t>(node.input_position(parameter))]; }

// An addend is a bias where no activation of the node's own comes between.
void take_addend(Node& node, Graph& graph) {
  if (node.op == "fc" || node.tail == nullptr || node.tail->addend == nullptr) return;
  FusedTail tail = tail_of(node);
  node.inputs.push_back({"Bias", 0, add_value(graph, "bias of " + node.label(), std::exchange(tail.addend, nullptr))});
  const bool plain = tail.activation == nullptr && tail.residual < 0 && tail.outputs.size() == 1 && tail.outputs[0].dtype == DataType::f32;
  if (plain) node.tail = nullptr;
  else set_tail(node, std::move(tail));
}

void make_dynamic(Node& node, Graph& graph, const FcForm& form) {
  const Constant& weights = *graph.constant(node.input(form.weights));
  Quantised quantised = quantise(weights.as<float>(), form);
  const auto bytes = std::as_bytes(std::span<const int8_t>(*quantised.weights));
  const Constant constant{DataType::i8, {form.k, form.n}, std::move(quantised.weights), bytes};
  take_addend(node, graph);
  const std::string name = graph.value(node.input(form.weights)).name;
  port_of(node, form.weights) = {"W", 0, add_value(graph, name, std::make_shared<const Constant>(constant))};
  port_of(node, form.input).parameter = "Input";
  node.op = "dynamic_fc";
  node.attrs["W0_scale"] = std::move(quantised.scale);
  if (form.row_dimensions < 0) node.attrs["op_type"] = std::string("matmul");
  else node.attrs["in_num_col_dims"] = static_cast<int32_t>(form.row_dimensions);
}

}  // namespace

int quantise_fc(Graph& graph) {
  int changed = 0;
  for (Node& node : graph.nodes) {
    const std::optional<FcForm> form = form_of(node, graph);
    if (!form) continue;
    make_dynamic(node, graph, *form);
    changed++;
  }
  if (changed > 0) remove_dead(graph);  // the fp32 weights
  return changed;
}

}  // namespace edgeocr::graph
