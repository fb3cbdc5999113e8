// The pass that gives the gates of squeeze-and-excitation blocks to the convolutions behind them.
#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;

namespace {

// A map of 16 channels, gates of its pixels' average, and their product.
Net gated_map(uint32_t seed) {
  Net net(seed);
  net.conv("x", "c", {.out = 16, .kernel = 3, .relu = true});
  net.unary("pool2d", "c", "p", {{"pooling_type", std::string("avg")}, {"global_pooling", true}, {"ksize", std::vector<int32_t>{1, 1}}});
  net.conv("p", "s", {.in = 16, .out = 16, .bias = true}).unary("hard_sigmoid", "s", "g").binary("elementwise_mul", "c", "g", "m", 0);
  return net;
}

size_t count_gates(const Graph& graph) {
  return static_cast<size_t>(
      std::ranges::count_if(graph.nodes, [](const graph::Node& node) { return node.input("Gate") != graph::kNoValue; }));
}

}  // namespace

TEST_CASE("fuse_gate: a 1x1 convolution takes the gates of the map that it alone reads") {
  Net net = gated_map(60);
  net.conv("m", "d", {.in = 16, .out = 24, .bias = true, .relu = true}).fetch("d");
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"conv2d", "pool2d", "conv2d", "conv2d"});
  CHECK(graph.nodes[3].input("Input") == graph.nodes[0].outputs[0].value);
  CHECK(graph.nodes[3].input("Gate") == graph.nodes[2].outputs[0].value);
  for (const Shape& shape : {Shape{1, 3, 6, 10}, Shape{2, 3, 5, 7}}) check_same_results(net, shape, 1e-5);
}

TEST_CASE("fuse_gate: it may carry a residual as well") {
  Net net = gated_map(61);
  net.conv("m", "d", {.in = 16, .out = 16}).add("d", "c", "e").fetch("e");
  const Graph graph = fused(net);
  CHECK(graph.nodes.back().tail->residual >= 0);
  CHECK(count_gates(graph) == 1);
  check_same_results(net, {2, 3, 6, 10}, 1e-5);
}

TEST_CASE("fuse_gate: other readers and other windows need the product") {
  Net two = gated_map(62), window = gated_map(63), returned = gated_map(64);
  two.conv("m", "d", {.in = 16}).conv("m", "e", {.in = 16}).add("d", "e", "f").fetch("f");
  window.conv("m", "d", {.in = 16, .kernel = 3}).fetch("d");
  returned.conv("m", "d", {.in = 16}).fetch("d").fetch("m");
  for (Net* net : {&two, &window, &returned}) CHECK(count_gates(fused(*net)) == 0);
}

TEST_CASE("fuse_gate: nets with int8 keep the product's own rounding") {
  Net net = gated_map(65);
  net.conv("m", "d", {.in = 16}).calib("d", "q", 0.01f).conv("q", "e", {.in = 8, .int8_scale = 0.01f}).fetch("e");
  CHECK(count_gates(fused(net)) == 0);
}

TEST_CASE("fuse_gate: a factor that is no gate per channel stays") {
  Net map(66);
  map.conv("x", "c", {.out = 16})
      .conv("x", "d", {.out = 16})
      .binary("elementwise_mul", "c", "d", "m")
      .conv("m", "e", {.in = 16})
      .fetch("e");
  CHECK(count_gates(fused(map)) == 0);
}
