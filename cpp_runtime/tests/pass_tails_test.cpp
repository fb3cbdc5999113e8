// Passes that move operators into tails, and batch_norm into weights.
#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::FusedTail;
using graph::Graph;
using graph::Node;

namespace {

const Shape kInput{2, 3, 6, 10};

Net conv_and_constant(const Shape& constant, int32_t axis, const Net::Conv& conv, bool swapped = false) {
  Net net(1);
  net.constant("b", constant).conv("x", "c", conv);
  if (swapped) net.add("b", "c", "y", axis);
  else net.add("c", "b", "y", axis);
  net.fetch("y");
  return net;
}

}  // namespace

TEST_CASE("fuse_bias: an fp32 convolution without bias gets one") {
  for (bool swapped : {false, true})
    for (const auto& [shape, axis] : {std::pair(Shape{8}, 1), std::pair(Shape{1, 8, 1, 1}, -1), std::pair(Shape{8, 1, 1}, -1)}) {
      Net net = conv_and_constant(shape, axis, {.kernel = 3}, swapped);
      const Graph graph = fused(net);
      CHECK(ops_of(graph) == Ops{"conv2d"});
      CHECK(graph.nodes[0].tail == nullptr);
      REQUIRE(graph.constant(graph.nodes[0].input("Bias")) != nullptr);
      CHECK(graph.constant(graph.nodes[0].input("Bias"))->shape == Shape{8});
      check_same_results(net, kInput, 0);
    }
}

TEST_CASE("fuse_bias: the reshaped biases of Paddle 2.6 exports") {
  Net net(2);
  net.constant("b", {8}).op("reshape2", {{"X", {"b"}}}, {{"Out", {"r"}}}, {{"shape", std::vector<int32_t>{1, 8, 1, 1}}});
  net.conv("x", "c", {.kernel = 3}).add("c", "r", "y").fetch("y");
  CHECK(ops_of(fused(net)) == Ops{"conv2d"});
  check_same_results(net, kInput, 0);
}

TEST_CASE("fuse_bias: what has a bias, an activation or int8 sums takes an addend, rounded apart") {
  Net with_bias = conv_and_constant({8}, 1, {.bias = true}), with_relu = conv_and_constant({8}, 1, {.relu = true});
  Net int8(3);
  int8.constant("b", {8}).calib("x", "q", 0.01f).conv("q", "c", {.kernel = 3, .int8_scale = 0.01f}).add("c", "b", "y", 1).fetch("y");
  for (Net* net : {&with_bias, &with_relu, &int8}) {
    const Graph graph = fused(*net);
    const Node& conv = node_of(graph, "conv2d");
    CHECK(ops_of(graph).back() == "conv2d");
    REQUIRE(conv.tail != nullptr);
    REQUIRE(conv.tail->addend != nullptr);
    CHECK(conv.tail->addend->shape == Shape{8});
    check_same_results(*net, kInput, 0);
  }
}

TEST_CASE("fuse_bias: matrix products take one per column") {
  for (const char* op : {"matmul", "matmul_v2"})
    for (int32_t axis : {-1, 2}) {
      Net net(4, {-1, -1, 5});
      net.constant("w", {5, 7}).constant("b", {7}).binary(op, "x", "w", "m").add("m", "b", "y", axis).fetch("y");
      const Graph graph = fused(net);
      CHECK(ops_of(graph) == Ops{op});
      CHECK(graph.nodes[0].tail->addend != nullptr);
      check_same_results(net, {2, 3, 5}, 0);
    }
}

TEST_CASE("fuse_bias: constants along other dimensions stay additions") {
  Net rows(5, {-1, 7, 5});  // one per row: axis 1 of a product with as many rows as columns
  rows.constant("w", {5, 7}).constant("b", {7}).binary("matmul", "x", "w", "m").add("m", "b", "y", 1).fetch("y");
  CHECK(ops_of(fused(rows)) == Ops{"matmul", "elementwise_add"});
  check_same_results(rows, {1, 7, 5}, 0);
  Net columns = conv_and_constant({8}, -1, {.out = 8});
  CHECK(ops_of(fused(columns)) == Ops{"conv2d", "elementwise_add"});
  check_same_results(columns, {1, 3, 4, 8}, 0);
}

TEST_CASE("fold_batch_norm: into plain, depthwise and transposed convolutions") {
  for (const Net::Conv& conv : {Net::Conv{.kernel = 3}, Net::Conv{.kernel = 3, .bias = true}, Net::Conv{.out = 3, .kernel = 3, .groups = 3},
                                Net::Conv{.out = 6, .groups = 3}, Net::Conv{.kernel = 2, .stride = 2, .bias = true, .transposed = true},
                                Net::Conv{.out = 6, .kernel = 2, .groups = 3, .stride = 2, .transposed = true}}) {
    Net net(6);
    net.conv("x", "c", conv).batch_norm("c", "y", conv.out).fetch("y");
    CAPTURE(conv.op());
    CHECK(ops_of(fused(net)) == Ops{conv.op()});
    check_same_results(net, kInput, 1e-5);
  }
}

TEST_CASE("fold_batch_norm: not behind an activation, nor where the convolution has another reader") {
  Net activated(7);
  activated.conv("x", "c", {.relu = true}).batch_norm("c", "y", 8).fetch("y");
  CHECK(ops_of(fused(activated)) == Ops{"conv2d", "batch_norm"});
  Net shared(8);
  shared.conv("x", "c", {}).batch_norm("c", "y", 8).fetch("y").fetch("c");
  CHECK(ops_of(fused(shared)) == Ops{"conv2d", "batch_norm"});
}

TEST_CASE("fuse_activation: every activation, behind an addition too") {
  for (const char* op : {"relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid", "tanh", "swish"}) {
    CAPTURE(op);
    Net net(9);
    net.constant("b", {8}).conv("x", "c", {.kernel = 3, .bias = true}).add("c", "b", "d", 1).unary(op, "d", "y").fetch("y");
    const Graph graph = fused(net);
    CHECK(ops_of(graph) == Ops{"conv2d"});
    REQUIRE(graph.nodes[0].tail->activation != nullptr);
    CHECK(graph.nodes[0].tail->activation->op == op);
    check_same_results(net, kInput, 0);
  }
}

TEST_CASE("fuse_activation: a result that is read elsewhere stays as it is") {
  Net twice(10);
  twice.conv("x", "c", {}).unary("relu", "c", "y").unary("tanh", "c", "z").fetch("y").fetch("z");
  CHECK(ops_of(fused(twice)) == Ops{"conv2d", "relu", "tanh"});
  Net returned(11);
  returned.conv("x", "c", {}).unary("relu", "c", "y").fetch("y").fetch("c");
  CHECK(ops_of(fused(returned)) == Ops{"conv2d", "relu"});
}

TEST_CASE("fuse_residual: the later of two convolutions takes the sum, at the addition's place") {
  Net net(12);
  net.conv("x", "a", {.kernel = 3}).conv("x", "b", {.bias = true}).unary("hard_swish", "b", "s").add("a", "s", "y").fetch("y");
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"conv2d", "conv2d"});
  CHECK(graph.nodes[0].tail == nullptr);
  const Node& last = graph.nodes[1];
  REQUIRE(last.tail != nullptr);
  CHECK(last.tail->activation != nullptr);
  CHECK(last.inputs[static_cast<size_t>(last.tail->residual)].value == graph.nodes[0].outputs[0].value);
  check_same_results(net, kInput, 0);
}

TEST_CASE("fuse_residual: a convolution is moved behind the other operand") {
  Net net(13);  // `a` comes first, and is not read by anything else; the other operand is made later by a pooling
  net.conv("x", "a", {.out = 3}).unary("tanh", "x", "t").unary("relu", "t", "p").add("a", "p", "y").fetch("y");
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"tanh", "conv2d"});
  check_same_results(net, kInput, 0);
}

TEST_CASE("fuse_residual: through nearest upsampling") {
  for (float factor : {2.0f, 4.0f}) {
    Net net(14);
    const auto stride = static_cast<int32_t>(factor);
    net.conv("x", "low", {.stride = stride}).upsample("low", "up", factor).conv("x", "c", {}).add("c", "up", "y").fetch("y");
    const Graph graph = fused(net);
    CHECK(ops_of(graph) == Ops{"conv2d", "conv2d"});
    CHECK(graph.nodes[1].tail->residual_scale == stride);
    check_same_results(net, {1, 3, 8, 12}, 0);
  }
  Net odd(15, {-1, 3, 12, 12});  // by 3 the source index is not exact for every size: the upsampling stays
  odd.conv("x", "low", {.stride = 3}).upsample("low", "up", 3).conv("x", "c", {}).add("c", "up", "y").fetch("y");
  const Graph graph = fused(odd);
  CHECK(ops_of(graph) == Ops{"conv2d", "nearest_interp_v2", "conv2d"});
  CHECK(graph.nodes[2].tail->residual_scale == 1);
  check_same_results(odd, {1, 3, 12, 12}, 0);
}

TEST_CASE("fuse_residual: a constant of the file that is upsampled has other pixels, so its upsampling stays") {
  Net net(16, {1, 3, 8, 12});
  net.constant("low", {1, 8, 4, 6}).upsample("low", "up", 2).conv("x", "c", {}).add("c", "up", "y").fetch("y");
  const Graph graph = fused(net);
  REQUIRE(ops_of(graph) == Ops{"nearest_interp_v2", "conv2d"});
  CHECK(graph.nodes[1].tail->residual_scale == 1);
}

TEST_CASE("fuse_residual: not where the sum broadcasts, nor what has another reader") {
  Net broadcast(16);
  broadcast.conv("x", "a", {})
      .op("pool2d", {{"X", {"a"}}}, {{"Out", {"p"}}},
          {{"global_pooling", true}, {"pooling_type", std::string("avg")}, {"ksize", std::vector<int32_t>{1, 1}}});
  broadcast.conv("x", "c", {}).add("c", "p", "y").fetch("y");
  CHECK(ops_of(fused(broadcast)) == Ops{"conv2d", "pool2d", "conv2d", "elementwise_add"});
  check_same_results(broadcast, kInput, 0);
  Net twice(17);
  twice.conv("x", "a", {}).add("a", "a", "y").fetch("y");
  CHECK(ops_of(fused(twice)) == Ops{"conv2d", "elementwise_add"});
  check_same_results(twice, kInput, 0);
}

TEST_CASE("fuse_calib: one int8 output per scale, fp32 only where it is read") {
  Net net(18);
  net.conv("x", "c", {.kernel = 3}).unary("hard_swish", "c", "s");
  net.calib("s", "q1", 0.02f).calib("s", "q2", 0.02f).calib("s", "q3", 0.03f);
  for (const auto& [from, to, scale] : {std::tuple("q1", "a", 0.02f), std::tuple("q2", "b", 0.02f), std::tuple("q3", "d", 0.03f)})
    net.conv(from, to, {.in = 8, .int8_scale = scale}).fetch(to);
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"conv2d", "conv2d", "conv2d", "conv2d"});
  const Node& first = graph.nodes[0];
  REQUIRE(first.tail->outputs.size() == 2);
  REQUIRE(first.outputs.size() == 2);
  for (size_t i = 0; i < 2; i++) {
    CHECK(first.tail->outputs[i].dtype == DataType::i8);
    CHECK(first.outputs[i].index == static_cast<int>(i));
    CHECK(first.outputs[i].parameter == "Output");
  }
  CHECK(first.tail->outputs[0].scale == 0.02f);
  CHECK(first.tail->outputs[1].scale == 0.03f);
  CHECK(graph.nodes[1].input("Input") == graph.nodes[2].input("Input"));
  check_same_results(net, kInput, 0);

  Net kept(19);
  kept.conv("x", "c", {}).calib("c", "q", 0.02f).conv("q", "a", {.in = 8, .int8_scale = 0.02f}).add("a", "c", "y").fetch("y");
  const Graph both = fused(kept);
  CHECK(ops_of(both) == Ops{"conv2d", "conv2d"});
  REQUIRE(both.nodes[0].tail->outputs.size() == 2);
  CHECK(both.nodes[0].tail->outputs[0].dtype == DataType::f32);
  CHECK(both.nodes[1].tail->residual >= 0);
  check_same_results(kept, kInput, 0);
}

TEST_CASE("fuse_calib: behind poolings and products of maps; a graph input keeps its calib") {
  Net net(20);
  net.op("pool2d", {{"X", {"x"}}}, {{"Out", {"p"}}},
         {{"global_pooling", true}, {"pooling_type", std::string("avg")}, {"ksize", std::vector<int32_t>{1, 1}}});
  net.calib("p", "pq", 0.01f).conv("pq", "g", {.out = 3, .int8_scale = 0.01f}).unary("hard_sigmoid", "g", "h");
  net.binary("elementwise_mul", "x", "h", "m").calib("m", "mq", 0.01f).conv("mq", "c", {.int8_scale = 0.01f});
  net.calib("x", "xq", 0.01f).conv("xq", "d", {.int8_scale = 0.01f}).add("c", "d", "y").fetch("y");
  CHECK(ops_of(fused(net)) == Ops{"pool2d", "conv2d", "elementwise_mul", "conv2d", "calib", "conv2d"});
  check_same_results(net, kInput, 0);
}

TEST_CASE("raise_calib: int8 maps are upsampled and joined") {
  Net net(21);
  net.conv("x", "a", {.out = 5, .stride = 2}).conv("x", "b", {.out = 4}).upsample("a", "up", 2).concat({"up", "b"}, "j");
  net.calib("j", "q", 0.02f).conv("q", "y", {.in = 9, .int8_scale = 0.02f}).fetch("y");
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"conv2d", "conv2d", "nearest_interp_v2", "concat", "conv2d"});
  CHECK(graph.nodes[0].tail->outputs[0].dtype == DataType::i8);
  CHECK(graph.nodes[1].tail->outputs[0].dtype == DataType::i8);
  check_same_results(net, kInput, 0);
}

TEST_CASE("raise_calib: not where fp32 is read too, nor over scales that differ") {
  for (bool fp32_reader : {true, false}) {
    Net net(22);
    net.conv("x", "a", {.stride = 2}).upsample("a", "up", 2).calib("up", "q", 0.02f).conv("q", "c", {.in = 8, .int8_scale = 0.02f});
    if (fp32_reader) net.unary("tanh", "up", "t").fetch("t");
    else net.calib("up", "r", 0.03f).conv("r", "d", {.in = 8, .int8_scale = 0.03f}).fetch("d");
    net.fetch("c");
    const Ops ops = ops_of(fused(net));
    CHECK(std::ranges::count(ops, "calib") == (fp32_reader ? 1 : 2));
    check_same_results(net, kInput, 0);
  }
}

TEST_CASE("fusion: a graph that runs at no size tried keeps the operators that need shapes") {
  Net net(23, {-1, 3, -1, -1});  // the filter wants 4 channels
  net.constant("b", {8}).conv("x", "c", {.in = 4}).add("c", "b", "d", 1).unary("relu", "d", "y").fetch("y");
  CHECK(ops_of(fused(net)) == Ops{"conv2d", "elementwise_add"});
}

TEST_CASE("fusion: the passes have names of their own") {
  const auto passes = graph::fusion_passes();
  REQUIRE(!passes.empty());
  for (size_t i = 0; i < passes.size(); i++)
    for (size_t j = 0; j < i; j++) CHECK(passes[i].name != passes[j].name);
}
