// What is known of how large the values of int8 convolutions become.
#if defined(__aarch64__) || defined(__x86_64__)
#include "kernels/int8/value_bound.h"

#include "graph/fused_tail.h"
#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

using kernels::int8::value_bound;

// An int8 convolution of two channels with weights 3, -4 and 0, 5 and the scale 2 * 0.5, and the value that it makes.
graph::ValueId add_convolution(graph::Graph& graph, graph::ValueId residual = graph::kNoValue) {
  Operator op("conv2d", 2, "fp32_out");
  Dense<int8_t> filter({2, 2, 1, 1});
  filter.data = {3, -4, 0, 5};
  op.constant("Filter", filter);
  Dense<float> bias({2});
  bias.data = {1, -2};
  op.constant("Bias", bias);
  op.attribute("Input0_scale", std::vector<float>{0.5f});
  op.attribute("Filter0_scale", std::vector<float>{2.0f});
  const auto first = static_cast<graph::ValueId>(graph.values.size());
  for (graph::Port& port : op.node.inputs) port.value += first;
  graph.values.insert(graph.values.end(), op.graph.values.begin(), op.graph.values.end());
  graph.values.push_back({"y", nullptr});
  const auto made = static_cast<graph::ValueId>(graph.values.size() - 1);
  op.node.outputs = {{"Output", 0, made}};
  if (residual != graph::kNoValue) {
    op.node.inputs.push_back({"Residual", 0, residual});
    graph::FusedTail tail;
    tail.residual = static_cast<int>(op.node.inputs.size()) - 1;
    tail.outputs.push_back({DataType::f32, 0});
    op.node.tail = std::make_shared<const graph::FusedTail>(tail);
  }
  graph.nodes.push_back(op.node);
  return made;
}

}  // namespace

TEST_CASE("the bound of a convolution is that of its largest channel, and residuals add theirs") {
  graph::Graph graph;
  const graph::ValueId first = add_convolution(graph);
  CHECK(value_bound(first, graph) == doctest::Approx(7 * 128 + 1));
  const graph::ValueId second = add_convolution(graph, first);
  CHECK(value_bound(second, graph) == doctest::Approx(2 * (7 * 128 + 1)));
}

TEST_CASE("nothing is known of what other operators make, nor of what adds it") {
  graph::Graph graph;
  graph.values.push_back({"x", nullptr});
  CHECK(std::isinf(value_bound(0, graph)));
  CHECK(std::isinf(value_bound(add_convolution(graph, 0), graph)));
  graph.nodes.back().tail = nullptr;
  CHECK(std::isfinite(value_bound(graph.nodes.back().outputs[0].value, graph)));
  graph.nodes.back().precision = 1;
  CHECK(std::isinf(value_bound(graph.nodes.back().outputs[0].value, graph)));
}

TEST_CASE("what ends in hard_sigmoid is at most one") {
  graph::Graph graph;
  const graph::ValueId gate = add_convolution(graph);
  graph::Node hard_sigmoid;
  hard_sigmoid.op = "hard_sigmoid";
  graph::FusedTail tail;
  tail.activation = std::make_shared<const graph::Node>(hard_sigmoid);
  tail.outputs.push_back({DataType::f32, 0});
  graph.nodes.back().tail = std::make_shared<const graph::FusedTail>(tail);
  CHECK(value_bound(gate, graph) == 1);
}

TEST_CASE("activations keep a bound or lose it") {
  using kernels::int8::activated_bound;
  CHECK(activated_bound(5, {.kind = kernels::ActKind::relu}) == 5);
  const kernels::Activation hard_swish{.kind = kernels::ActKind::hard_swish, .threshold = 6, .offset = 3, .inverse_scale = 1.0f / 3};
  CHECK(activated_bound(5, hard_swish) == doctest::Approx(10));
  CHECK(std::isinf(activated_bound(5, {.kind = kernels::ActKind::leaky_relu})));
}

}  // namespace edgeocr::kernel_test
#endif
