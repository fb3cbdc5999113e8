// The pass that gives nodes fp16 maps.
#include "graph/passes/fuse_narrowing.h"
#include "graph/passes/lower_to_fp16.h"
#include "graph/precision.h"
#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;
using graph::Node;

namespace {

Graph lowered(Net& net, const std::function<bool(const Node&)>& has_kernel) {
  Graph graph = fused(net);
  graph::lower_to_fp16(graph, has_kernel);
  return graph;
}

bool is_conv(const Node& node) {
  CHECK(node.precision == graph::kFp16Precision);
  return node.op == "conv2d";
}

std::vector<DataType> dtypes_of(const Graph& graph, const Node& node) {
  const Shape input{1, 3, 6, 10};
  const std::vector<graph::Inferred> values = graph::infer(graph, {&input, 1});
  std::vector<DataType> dtypes;
  for (const graph::Port& port : node.outputs) dtypes.push_back(values[static_cast<size_t>(port.value)].dtype);
  return dtypes;
}

}  // namespace

TEST_CASE("lower_to_fp16: maps between nodes with kernels are fp16, what leaves them is fp32") {
  Net net(40);
  net.conv("x", "c", {.kernel = 3}).unary("relu", "c", "r").conv("r", "d", {.in = 8}).unary("softmax", "d", "y").fetch("y");
  const Graph graph = lowered(net, is_conv);
  CHECK(ops_of(graph) == Ops{"calib", "conv2d", "conv2d", "softmax"});
  CHECK(graph::narrows(graph.nodes[0]));
  CHECK(dtypes_of(graph, graph.nodes[0]) == std::vector{DataType::f16});
  CHECK(graph.nodes[1].precision == graph::kFp16Precision);
  CHECK(dtypes_of(graph, graph.nodes[1]) == std::vector{DataType::f16});
  CHECK(graph.nodes[1].tail->activation != nullptr);
  CHECK(dtypes_of(graph, graph.nodes[2]) == std::vector{DataType::f32});
  CHECK(graph.nodes[3].precision == graph::kFp32Precision);
}

TEST_CASE("lower_to_fp16: a map for both kinds of nodes is converted once") {
  Net net(41);
  net.conv("x", "c", {.kernel = 3}).conv("c", "d", {.in = 8}).unary("softmax", "c", "s").unary("softmax", "c", "t").fetch("d").fetch("s");
  net.fetch("t").fetch("c");
  const Graph graph = lowered(net, is_conv);
  CHECK(std::ranges::count_if(graph.nodes, graph::narrows) == 1);
  CHECK(std::ranges::count_if(graph.nodes, graph::widens) == 1);
  const auto widening = std::ranges::find_if(graph.nodes, graph::widens);
  const graph::ValueId widened = widening->outputs[0].value;
  CHECK(node_of(graph, "softmax", 0).input("X") == widened);
  CHECK(node_of(graph, "softmax", 1).input("X") == widened);
  CHECK(graph.outputs[3] == widened);
  CHECK(dtypes_of(graph, *widening) == std::vector{DataType::f32});
}

TEST_CASE("lower_to_fp16: residuals are fp16 too") {
  Net net(42);
  net.conv("x", "c", {.kernel = 3}).conv("c", "d", {.in = 8}).add("d", "c", "e").conv("e", "f", {.in = 8}).fetch("f");
  const Graph graph = lowered(net, is_conv);
  CHECK(ops_of(graph) == Ops{"calib", "conv2d", "conv2d", "conv2d"});
  CHECK(graph.nodes[2].tail->residual >= 0);
  CHECK(dtypes_of(graph, graph.nodes[2]) == std::vector{DataType::f16});
  CHECK(dtypes_of(graph, graph.nodes[3]) == std::vector{DataType::f32});
}

TEST_CASE("lower_to_fp16: nodes have long sums unless the graph returns a map of several pixels") {
  const auto has_long_sums = [](const Graph& graph) { return graph::has_long_sums(node_of(graph, "conv2d")); };
  Net map(45), pixel(46), both(47);
  map.conv("x", "c", {.kernel = 3}).fetch("c");
  CHECK_FALSE(has_long_sums(lowered(map, is_conv)));
  const Attrs global{{"pooling_type", std::string("avg")}, {"global_pooling", true}, {"ksize", std::vector<int32_t>{1, 1}}};
  pixel.conv("x", "c", {.kernel = 3}).unary("pool2d", "c", "p", global).fetch("p");
  CHECK(has_long_sums(lowered(pixel, is_conv)));
  both.conv("x", "c", {.kernel = 3}).unary("pool2d", "c", "p", global).fetch("p").fetch("c");
  CHECK_FALSE(has_long_sums(lowered(both, is_conv)));
}

TEST_CASE("lower_to_fp16: elementwise operators follow what makes their inputs") {
  Net net(44);
  net.conv("x", "c", {.kernel = 3}).unary("softmax", "c", "s").add("c", "s", "a").add("s", "s", "b").fetch("a").fetch("b");
  const Graph graph = lowered(net, [](const Node& node) { return node.op == "conv2d" || node.op == "elementwise_add"; });
  CHECK(node_of(graph, "elementwise_add", 0).precision == graph::kFp16Precision);
  CHECK(dtypes_of(graph, node_of(graph, "elementwise_add", 0)) == std::vector{DataType::f32});
  CHECK(node_of(graph, "elementwise_add", 1).precision == graph::kFp32Precision);
}

TEST_CASE("lower_to_fp16: without kernels, and in int8, nothing changes") {
  Net net(43);
  net.calib("x", "q", 0.01f).conv("q", "c", {.kernel = 3, .int8_scale = 0.01f}).conv("c", "d", {.in = 8}).fetch("d");
  const Graph before = fused(net), none = lowered(net, [](const Node&) { return false; }), all = lowered(net, is_conv);
  CHECK(graph::has_int8(before));
  CHECK(ops_of(none) == ops_of(before));
  CHECK(all.nodes[1].precision == graph::kInt8Precision);
  CHECK(ops_of(all) == Ops{"calib", "conv2d", "calib", "conv2d"});
}

namespace {

// An int8 convolution c, and an fp16 one that reads it.
Net int8_before_fp16(int seed) {
  Net net(seed);
  net.calib("x", "q", 0.01f).conv("q", "c", {.kernel = 3, .int8_scale = 0.01f}).conv("c", "d", {.in = 8}).fetch("d");
  return net;
}

}  // namespace

TEST_CASE("fuse_narrowing: an int8 node stores what fp16 nodes read as fp16") {
  Net net = int8_before_fp16(48);
  Graph graph = lowered(net, is_conv);
  CHECK(ops_of(graph) == Ops{"calib", "conv2d", "calib", "conv2d"});
  graph::fuse_narrowing(graph, [](const Node& node) {
    CHECK(node.precision == graph::kInt8Precision);
    CHECK(node.tail->outputs[0].dtype == DataType::f16);
    return node.op == "conv2d";
  });
  CHECK(ops_of(graph) == Ops{"calib", "conv2d", "conv2d"});
  CHECK(dtypes_of(graph, graph.nodes[1]) == std::vector{DataType::f16});
  CHECK(graph.nodes[2].input("Input") == graph.nodes[1].outputs[0].value);
}

TEST_CASE("fuse_narrowing: nodes without such a kernel, and results that others read, are converted as before") {
  Net one = int8_before_fp16(49), other = int8_before_fp16(50);
  Graph none = lowered(one, is_conv);
  graph::fuse_narrowing(none, [](const Node&) { return false; });
  CHECK(ops_of(none) == Ops{"calib", "conv2d", "calib", "conv2d"});
  other.fetch("c");
  Graph read = lowered(other, is_conv);
  graph::fuse_narrowing(read, [](const Node&) { return true; });
  CHECK(ops_of(read) == Ops{"calib", "conv2d", "calib", "conv2d"});
}
