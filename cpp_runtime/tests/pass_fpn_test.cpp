// factor_fpn and split_upsampled_concat.
#include "graph/cost.h"
#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;
using graph::Node;

namespace {

// DBFPN in small: three levels, the 1x1 `in` convolutions, sums with upsampled maps, 3x3 `p` convolutions, concat, head.
struct Pyramid {
  bool in_bias = false, p_bias = false, in_relu = false;
};
Net pyramid(const Pyramid& shape) {
  Net net(31);
  const int64_t wide = 96, narrow = 24;
  net.conv("x", "f2", {.out = 16, .kernel = 3, .stride = 2, .relu = true});
  net.conv("f2", "f3", {.in = 16, .out = 24, .kernel = 3, .stride = 2, .relu = true});
  net.conv("f3", "f4", {.in = 24, .out = 200, .kernel = 3, .stride = 2, .relu = true});
  for (const auto& [from, to, in] : {std::tuple("f2", "in2", 16), std::tuple("f3", "in3", 24), std::tuple("f4", "in4", 200)})
    net.conv(from, to, {.in = in, .out = wide, .bias = shape.in_bias, .relu = shape.in_relu});
  net.upsample("in4", "u4", 2).add("in3", "u4", "o3").upsample("o3", "u3", 2).add("in2", "u3", "o2");
  for (const auto& [from, to] : {std::pair("in4", "p4"), std::pair("o3", "p3"), std::pair("o2", "p2")})
    net.conv(from, to, {.in = wide, .out = narrow, .kernel = 3, .bias = shape.p_bias});
  net.upsample("p4", "p4up", 4).upsample("p3", "p3up", 2).concat({"p4up", "p3up", "p2"}, "joined");
  net.conv("joined", "head", {.in = 3 * narrow, .out = narrow, .kernel = 3, .bias = true, .relu = true}).fetch("head");
  return net;
}

std::vector<int64_t> factors(const Node& node) { return node.attr_ints("factors"); }

}  // namespace

TEST_CASE("factor_fpn: sums are convolved at their own resolutions, wide maps at low resolution stay") {
  for (bool p_bias : {false, true}) {
    Net net = pyramid({.p_bias = p_bias});
    const Graph graph = fused(net);
    CHECK(ops_of(graph) ==
          Ops{"conv2d", "conv2d", "conv2d", "conv2d", "conv2d", "conv2d_over_upsampled", "conv2d_over_upsampled", "conv2d_over_upsampled"});
    const Node &p3 = graph.nodes[5], &p2 = graph.nodes[6], &head = graph.nodes[7];
    CHECK(factors(p3) == std::vector<int64_t>{1, 2});
    CHECK(factors(p2) == std::vector<int64_t>{1, 2, 4});
    CHECK(factors(head) == std::vector<int64_t>{4, 2, 1});
    CHECK(graph.constant(p2.input("Filter", 0))->shape == Shape{24, 16, 3, 3});
    CHECK(graph.constant(p2.input("Filter", 1))->shape == Shape{24, 24, 3, 3});
    CHECK(graph.constant(p2.input("Filter", 2))->shape == Shape{24, 96, 3, 3});
    check_same_results(net, {1, 3, 48, 64}, 1e-4);
    check_same_results(net, {2, 3, 8, 16}, 1e-4);
  }
}

TEST_CASE("factor_fpn: behind a bias or an activation the padding would not be zero, so these stay") {
  for (const Pyramid& shape : {Pyramid{.in_bias = true}, Pyramid{.in_relu = true}}) {
    Net net = pyramid(shape);
    const Graph graph = fused(net);
    CHECK(std::ranges::count(ops_of(graph), "conv2d_over_upsampled") == 1);  // the head
    CHECK(ops_of(graph).size() == 10);
    check_same_results(net, {1, 3, 48, 64}, 1e-4);
  }
}

TEST_CASE("factor_fpn: sums nested deeper than any pyramid stay, in no time") {
  Net net(34);
  net.conv("x", "v0", {.out = 24});
  for (int i = 0; i < 60; i++) net.add("v" + std::to_string(i), "v" + std::to_string(i), "v" + std::to_string(i + 1));
  net.conv("v60", "y", {.in = 24, .out = 8, .kernel = 3}).fetch("y");
  CHECK(std::ranges::count(ops_of(fused(net)), "conv2d_over_upsampled") == 0);
}

TEST_CASE("factor_fpn: costs a fraction") {
  Net net = pyramid({});
  const std::vector<Shape> input{{1, 3, 64, 64}};
  const auto macs = [&](const Graph& graph) {
    int64_t sum = 0;
    const auto values = graph::infer(graph, input);
    for (const Node& node : graph.nodes) sum += graph::macs_of(node, values);
    return sum;
  };
  const Graph before = net.build();
  CHECK(macs(fused(net)) < macs(before) / 2);
}

TEST_CASE("split_upsampled_concat: int8 sums are the same bits, the calib is raised to the convolutions") {
  Net net(32);
  net.conv("x", "a", {.out = 5, .stride = 4}).conv("x", "b", {.out = 24, .stride = 2}).conv("x", "c", {.out = 7});
  net.upsample("a", "a4", 4).upsample("b", "b2", 2).concat({"a4", "b2", "c"}, "j").calib("j", "q", 0.02f);
  net.conv("q", "h", {.in = 36, .out = 9, .kernel = 3, .bias = true, .int8_scale = 0.02f}).unary("relu", "h", "y").fetch("y");
  const Graph graph = fused(net);
  CHECK(ops_of(graph) == Ops{"conv2d", "conv2d", "conv2d", "conv2d_over_upsampled"});
  const Node& head = graph.nodes[3];
  CHECK(factors(head) == std::vector<int64_t>{4, 2, 1});
  CHECK(head.precision == 2);
  CHECK(head.tail->activation->op == "relu");
  for (size_t i = 0; i < 3; i++) CHECK(graph.nodes[i].tail->outputs[0].dtype == DataType::i8);
  check_same_results(net, {1, 3, 8, 12}, 0);
  check_same_results(net, {2, 3, 4, 4}, 0);
}

TEST_CASE("split_upsampled_concat: only 3x3 of stride 1 over channels, at least one of them upsampled") {
  const auto build = [](const Net::Conv& conv, float factor, bool shared) {
    Net net(33, {-1, 3, 24, 24});
    net.conv("x", "a", {.stride = static_cast<int32_t>(factor)}).upsample("a", "u", factor).conv("x", "b", {}).concat({"u", "b"}, "j");
    net.conv("j", "y", conv).fetch("y");
    if (shared) net.fetch("j");
    return net;
  };
  const Net::Conv good{.in = 16, .kernel = 3};
  const auto splits = [&](Net net) { return std::ranges::count(ops_of(fused(net)), "conv2d_over_upsampled") == 1; };
  CHECK(splits(build(good, 2, false)));
  CHECK_FALSE(splits(build(good, 1, false)));
  CHECK_FALSE(splits(build(good, 3, false)));
  CHECK_FALSE(splits(build(good, 2, true)));
  CHECK_FALSE(splits(build({.in = 16, .kernel = 1}, 2, false)));
  CHECK_FALSE(splits(build({.in = 16, .kernel = 5}, 2, false)));
  CHECK_FALSE(splits(build({.in = 16, .kernel = 3, .stride = 2}, 2, false)));
  CHECK_FALSE(splits(build({.in = 16, .kernel = 3, .groups = 2}, 2, false)));
}
