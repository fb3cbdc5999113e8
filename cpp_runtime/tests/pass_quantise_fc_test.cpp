// The pass that makes matrix products compute in int8, row by row.
#include "graph/passes/quantise_fc.h"

#include "graph/passes/greedy_ctc.h"
#include "graph/passes/lower_to_fp16.h"
#include "graph/precision.h"
#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;
using graph::Node;

namespace {

constexpr int64_t kDepth = 64, kColumns = 96;

Net net_of_rows(uint32_t seed) { return Net(seed, {-1, -1, kDepth}); }

Net& product(Net& net, const std::string& op, const std::string& from, const std::string& to, const Shape& weights, const Attrs& attrs) {
  net.constant(to + ".w", weights);
  if (op != "fc") return net.op(op, {{"X", {from}}, {"Y", {to + ".w"}}}, {{"Out", {to}}}, attrs);
  net.constant(to + ".b", {weights[1]});
  return net.op(op, {{"Input", {from}}, {"W", {to + ".w"}}, {"Bias", {to + ".b"}}}, {{"Out", {to}}}, attrs);
}

Graph quantised(Net& net, int expected) {
  Graph graph = fused(net);
  CHECK(graph::quantise_fc(graph) == expected);
  return graph;
}

// The first output, relative to its own size: eight bits of either factor keep the products within a percent.
void check_close_to_fp32(Net& net, const Shape& input = {2, 5, kDepth}) {
  const Graph before = net.build(), after = quantised(net, 1);
  Random random(98);
  const std::vector<Dense<float>> inputs{random.reals(input)};
  const Dense<float> expected = GraphRun(before, inputs).output(), actual = GraphRun(after, inputs).output();
  REQUIRE(actual.shape == expected.shape);
  float largest = 0, difference = 0;
  for (size_t i = 0; i < expected.data.size(); i++) {
    largest = std::max(largest, std::fabs(expected.data[i]));
    difference = std::max(difference, std::fabs(actual.data[i] - expected.data[i]));
  }
  CHECK(difference > 0);
  CHECK(difference <= 0.01f * largest);
}

}  // namespace

TEST_CASE("quantise_fc: products of every kind become one that quantises its rows") {
  const auto check = [](const std::string& op, const Shape& weights, const Attrs& attrs) {
    CAPTURE(op);
    Net net = net_of_rows(50);
    product(net, op, "x", "y", weights, attrs).fetch("y");
    const Graph graph = quantised(net, 1);
    const Node& node = node_of(graph, "dynamic_fc");
    CHECK(graph.nodes.size() == 1);
    CHECK(node.precision == graph::kFp32Precision);
    CHECK(node.attr_floats("W0_scale").size() == kColumns);
    const graph::Constant& w = *graph.constant(node.input("W"));
    CHECK(w.dtype == DataType::i8);
    CHECK(w.shape == Shape{kDepth, kColumns});
    CHECK(std::ranges::count_if(graph.values, [](const graph::Value& v) { return v.constant && v.constant->shape.rank() == 2; }) == 1);
    check_close_to_fp32(net);
  };
  const Shape straight{kDepth, kColumns}, transposed{kColumns, kDepth};
  check("fc", straight, {{"in_num_col_dims", 2}});
  check("fc", straight, {{"in_num_col_dims", 1}, {"op_type", std::string("matmul")}});
  check("fc", straight, {{"in_num_col_dims", 2}, {"activation_type", std::string("relu")}});
  check("mul", straight, {{"x_num_col_dims", 2}, {"y_num_col_dims", 1}});
  check("matmul", straight, {{"alpha", 0.3f}});
  check("matmul", transposed, {{"transpose_Y", true}});
  check("matmul_v2", straight, {});
  check("matmul_v2", transposed, {{"trans_y", true}});
}

TEST_CASE("quantise_fc: an addend becomes the bias") {
  Net net = net_of_rows(51);
  product(net, "matmul_v2", "x", "p", {kDepth, kColumns}, {}).constant("b", {kColumns}).add("p", "b", "s").fetch("s");
  const Graph graph = quantised(net, 1);
  CHECK(ops_of(graph) == Ops{"dynamic_fc"});
  CHECK(graph.nodes[0].tail == nullptr);
  CHECK(graph.constant(graph.nodes[0].input("Bias"))->shape == Shape{kColumns});
  check_close_to_fp32(net);
}

TEST_CASE("quantise_fc: the rest of a tail stays") {
  constexpr int64_t kSize = 96;
  Net net(53, {-1, -1, kSize});
  product(net, "matmul_v2", "x", "p", {kSize, kSize}, {}).constant("b", {kSize}).add("p", "b", "s").unary("relu", "s", "r");
  net.add("r", "x", "y").fetch("y");
  const Graph graph = quantised(net, 1);
  CHECK(ops_of(graph) == Ops{"dynamic_fc"});
  CHECK(graph.nodes[0].inputs[static_cast<size_t>(graph.nodes[0].tail->residual)].parameter == "Residual");
  CHECK(graph.nodes[0].tail->addend == nullptr);
  check_close_to_fp32(net, {2, 5, kSize});
}

TEST_CASE("quantise_fc: what would not gain, or is no product with a constant matrix, stays fp32") {
  const auto check = [](const std::string& op, const Shape& weights, const Attrs& attrs) {
    CAPTURE(op);
    Net net = net_of_rows(54);
    product(net, op, "x", "y", weights, attrs).fetch("y");
    CHECK(ops_of(quantised(net, 0)) == Ops{op});
  };
  check("fc", {kDepth, 2}, {{"in_num_col_dims", 2}});
  check("matmul_v2", {kDepth, 48}, {});
  check("matmul_v2", {1, kDepth, kColumns}, {});
  Net computed = net_of_rows(55);
  computed.op("matmul_v2", {{"X", {"x"}}, {"Y", {"x"}}}, {{"Out", {"y"}}}, {{"trans_y", true}}).fetch("y");
  CHECK(ops_of(quantised(computed, 0)) == Ops{"matmul_v2"});
}

TEST_CASE("quantise_fc: greedy CTC reads what it makes, and fp16 leaves it alone") {
  Net net = net_of_rows(56);
  product(net, "fc", "x", "y", {kDepth, kColumns}, {{"in_num_col_dims", 2}}).unary("softmax", "y", "z").fetch("z");
  Graph graph = net.build();
  graph::end_in_greedy_ctc(graph);
  graph::fuse(graph);
  CHECK(graph::quantise_fc(graph) == 1);
  CHECK(ops_of(graph) == Ops{"dynamic_fc", "greedy_ctc"});
  CHECK(graph::greedy_ctc_scores(graph) == graph.nodes[0].outputs[0].value);
  graph::lower_to_fp16(graph, [](const Node& node) { return node.op == "fc"; });
  CHECK(ops_of(graph) == Ops{"dynamic_fc", "greedy_ctc"});
  CHECK_FALSE(graph::has_int8(graph));
}
