// fuse_transposed_head: the two transposed convolutions at the end of a detector.
#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;
using graph::Node;

namespace {

constexpr Net::Conv kFirst{.in = 3, .out = 6, .kernel = 2, .stride = 2, .bias = true, .relu = true, .transposed = true};
constexpr Net::Conv kSecond{.in = 6, .out = 1, .kernel = 2, .stride = 2, .bias = true, .transposed = true};

Net head(const Net::Conv& first = kFirst, const Net::Conv& second = kSecond) {
  Net net(51);
  net.conv("x", "h", first).conv("h", "s", second).unary("sigmoid", "s", "y").fetch("y");
  return net;
}

}  // namespace

TEST_CASE("fuse_transposed_head: two doublings with relu between are a pair, with the same bits") {
  Net net = head();
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"conv2d_transpose_pair"});
  const Node& pair = graph.nodes[0];
  CHECK(pair.all_inputs("Filter").size() == 2);
  CHECK(pair.all_inputs("Bias").size() == 2);
  REQUIRE(pair.tail != nullptr);
  CHECK(pair.tail->activation->op == "sigmoid");
  check_same_results(net, {2, 3, 3, 5}, 0);
}

TEST_CASE("fuse_transposed_head: without biases, with relu as an operator, without a tail") {
  Net::Conv first = kFirst, second = kSecond;
  first.bias = second.bias = first.relu = false;
  Net net(52);
  net.conv("x", "h", first).unary("relu", "h", "r").conv("r", "y", second).fetch("y");
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"conv2d_transpose_pair"});
  CHECK(graph.nodes[0].all_inputs("Bias").empty());
  CHECK(graph.nodes[0].tail == nullptr);
  check_same_results(net, {1, 3, 4, 2}, 0);
}

TEST_CASE("fuse_transposed_head: a bias of one of the two only") {
  for (const bool of_first : {true, false}) {
    Net::Conv first = kFirst, second = kSecond;
    first.bias = of_first;
    second.bias = !of_first;
    Net net = head(first, second);
    CHECK(ops_of(fused(net)) == Ops{"conv2d_transpose_pair"});
    check_same_results(net, {1, 3, 2, 3}, 0);
  }
}

TEST_CASE("fuse_transposed_head: others stay two") {
  const Ops two{"conv2d_transpose", "conv2d_transpose"};
  Net::Conv without_relu = kFirst, larger = kFirst, several = kSecond;
  without_relu.relu = false;
  larger.kernel = 3;
  several.out = 2;
  for (Net net : {head(without_relu), head(larger), head(kFirst, several)}) {
    CHECK(ops_of(fused(net)) == two);
    check_same_results(net, {1, 3, 3, 4}, 0);
  }
  Net read_twice = head();
  read_twice.fetch("h");
  CHECK(ops_of(fused(read_twice)) == two);
}

TEST_CASE("a pair's filters and biases must fit") {
  Net net = head();
  Graph graph = fused(net);
  const Shape input{1, 3, 2, 2}, wrong{1, 4, 2, 2};
  CHECK(graph::infer(graph, {&input, 1})[static_cast<size_t>(graph.outputs[0])].shape == Shape{1, 1, 8, 8});
  CHECK_THROWS_WITH(graph::infer(graph, {&wrong, 1}),
                    "t.nb: conv2d_transpose_pair #2: filter is 3x6x2x2, expected one of 2x2 for 4 channels");
  Node& pair = graph.nodes[0];
  std::swap(pair.inputs[1].value, pair.inputs[2].value);
  CHECK_THROWS_WITH(graph::infer(graph, {&input, 1}), doctest::Contains("filter is 6x1x2x2, expected one of 2x2 for 3 channels"));
}

TEST_CASE("a pair gives what its two convolutions give, by the plain set and by the fastest") {
  using kernel_test::Operator;
  Random random(53);
  for (const int64_t hidden : {4, 24}) {
    const Dense<float> first = random.reals({8, hidden, 2, 2}), second = random.reals({hidden, 1, 2, 2}), bias = random.reals({hidden});
    const auto step = [&](const Dense<float>& input, const Dense<float>& filter, bool relu) {
      Operator op("conv2d_transpose");
      op.input("Input", input);
      op.constant("Filter", filter);
      if (relu) op.constant("Bias", bias);
      op.ints("strides", {2, 2});
      op.attribute("fuse_relu", relu);
      op.output("Output", DataType::f32, {1, filter.shape[1], 2 * input.shape[2], 2 * input.shape[3]});
      return op.run(*op.kernel(), 1)[0].dense<float>();
    };
    const Dense<float> input = random.reals({1, 8, 3, 5}), expected = step(step(input, first, true), second, false);
    Operator pair("conv2d_transpose_pair");
    pair.input("Input", input);
    for (const auto& filter : {first, second}) pair.constant("Filter", filter);
    pair.constant("Bias", bias);
    pair.output("Output", DataType::f32, expected.shape);
    kernel_test::check_equal(pair.run(*pair.kernel(), 1)[0].dense<float>(), expected);
    const auto fastest = kernels::create_kernel(pair.node, pair.graph, kernels::kernel_sets());
    kernel_test::check_close(pair.run(*fastest, 2)[0].dense<float>(), expected);
  }
}
