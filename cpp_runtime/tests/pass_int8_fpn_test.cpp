// compose_int8_fpn.
#include <cmath>

#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;
using graph::Node;

namespace {

constexpr int64_t kWide = 96, kNarrow = 24;

struct Pyramid {
  bool in_bias = false, in_relu = false, p_relu = false;
  float map_scale = 0.02f, sum_scale = 0.055f;
  std::vector<int8_t> in2 = {}, in3 = {}, p3 = {};  // weights
};

// DBFPN in small as opt leaves it: int8 convolutions with calibs before them, fp32 sums. As in files, the calib of o3 comes after p2.
Net pyramid(const Pyramid& shape) {
  Net net(31);
  net.conv("x", "f2", {.out = 16, .kernel = 3, .stride = 2, .relu = true}).calib("f2", "q2", shape.map_scale);
  net.conv("f2", "f3", {.in = 16, .out = 24, .kernel = 3, .stride = 2, .relu = true}).calib("f3", "q3", shape.map_scale);
  net.conv("f3", "f4", {.in = 24, .out = 200, .kernel = 3, .stride = 2, .relu = true}).calib("f4", "q4", shape.map_scale);
  const auto lateral = [&](int level, int64_t channels, const std::vector<int8_t>& weights) {
    const std::string number = std::to_string(level);
    net.conv(
        "q" + number, "in" + number,
        {.in = channels, .out = kWide, .bias = shape.in_bias, .relu = shape.in_relu, .int8_scale = shape.map_scale, .weights = weights});
  };
  lateral(2, 16, shape.in2);
  lateral(3, 24, shape.in3);
  lateral(4, 200, {});
  net.upsample("in4", "u4", 2).add("in3", "u4", "o3").upsample("o3", "u3", 2).add("in2", "u3", "o2");
  const auto smoothed = [&](const std::string& from, const std::string& to, const std::vector<int8_t>& weights) {
    net.calib(from, from + "q", shape.sum_scale);
    net.conv(from + "q", to,
             {.in = kWide, .out = kNarrow, .kernel = 3, .relu = shape.p_relu, .int8_scale = shape.sum_scale, .weights = weights});
    net.fetch(to);
  };
  smoothed("o2", "p2", {});
  smoothed("in4", "p4", {});
  smoothed("o3", "p3", shape.p3);
  return net;
}

int64_t composed(const Graph& graph) { return std::ranges::count(ops_of(graph), "conv2d_over_upsampled"); }

// Root mean square of the differences between the graphs' outputs, over that of the outputs.
double relative_difference(Net& net, size_t output, const Shape& input) {
  Random random(99);
  const std::vector<Dense<float>> inputs{random.reals(input)};
  const Graph before = net.build(), after = fused(net, Int8::composed);
  const Dense<float> expected = GraphRun(before, inputs).output(output), actual = GraphRun(after, inputs).output(output);
  double squares = 0, errors = 0;
  for (size_t i = 0; i < expected.data.size(); i++) {
    squares += std::pow(static_cast<double>(expected.data[i]), 2);
    errors += std::pow(static_cast<double>(actual.data[i]) - static_cast<double>(expected.data[i]), 2);
  }
  return std::sqrt(errors / squares);
}

}  // namespace

TEST_CASE("compose_int8_fpn: runs where int8 need not be exact, and there only") {
  Net net = pyramid({});
  CHECK(composed(fused(net)) == 0);
  CHECK(composed(fused(net, Int8::fast)) == 0);
  CHECK(composed(fused(net, Int8::composed)) == 2);
  check_same_results(net, {1, 3, 48, 64}, 0);
}

TEST_CASE("compose_int8_fpn: sums are convolved at their own resolutions, wide maps at low resolution stay") {
  Net net = pyramid({});
  const Graph graph = fused(net, Int8::composed);
  const Node &p2 = node_of(graph, "conv2d_over_upsampled", 0), &p3 = node_of(graph, "conv2d_over_upsampled", 1);
  CHECK(p2.attr_ints("factors") == std::vector<int64_t>{1, 2, 4});
  CHECK(p3.attr_ints("factors") == std::vector<int64_t>{1, 2});
  const auto filter = [&](const Node& node, int source) -> const graph::Constant& { return *graph.constant(node.input("Filter", source)); };
  CHECK(filter(p2, 0).shape == Shape{kNarrow, 16, 3, 3});
  CHECK(filter(p2, 1).shape == Shape{kNarrow, 24, 3, 3});
  CHECK(filter(p2, 2).shape == Shape{kNarrow, kWide, 3, 3});
  CHECK(filter(p3, 0).shape == Shape{kNarrow, 24, 3, 3});
  CHECK(filter(p2, 0).dtype == DataType::i8);
  CHECK(p2.attr_floats("Filter0_scale").size() == kNarrow);
}

TEST_CASE("compose_int8_fpn: as near to the sums in int8 as rounding them is, borders included") {
  for (const bool relu : {false, true}) {
    Net net = pyramid({.p_relu = relu});
    for (const Shape& input : {Shape{1, 3, 48, 64}, Shape{2, 3, 8, 16}}) {
      CHECK(relative_difference(net, 0, input) < 0.025);
      CHECK(relative_difference(net, 1, input) == 0);
      CHECK(relative_difference(net, 2, input) < 0.025);
    }
  }
}

TEST_CASE("compose_int8_fpn: behind a bias or an activation the padding would not be zero, so these stay") {
  for (const Pyramid& shape : {Pyramid{.in_bias = true}, Pyramid{.in_relu = true}}) {
    Net net = pyramid(shape);
    const Graph graph = fused(net, Int8::composed);
    CHECK(composed(graph) == 0);
  }
}

TEST_CASE("compose_int8_fpn: a sum whose calib would clip much of it stays") {
  // p3's sum has 24 maps, each weighed by w, and o4 as its calib leaves it: evenly spread, (24 w^2 map_scale^2 + sum_scale^2) * 127^2 / 3
  // is the mean of its squares, and (127 sum_scale)^2 that of the largest value that the calib keeps. p2's sum has more.
  constexpr int8_t kWeight = 100;
  const double limit = std::sqrt(2.0 / 24) / (kWeight * static_cast<double>(Net::kFilterScale));  // of map_scale, in sum_scale
  std::vector<int8_t> in3(static_cast<size_t>(kWide * 24));
  Random random(8);
  for (int8_t& w : in3) w = static_cast<int8_t>(random.chance(50) ? kWeight : -kWeight);
  for (const double factor : {0.98, 1.02}) {
    Net net = pyramid({.map_scale = static_cast<float>(limit * factor) * Pyramid{}.sum_scale, .in3 = in3});
    const Graph graph = fused(net, Int8::composed);
    REQUIRE(composed(graph) == (factor < 1 ? 1 : 0));
    if (factor < 1) CHECK(node_of(graph, "conv2d_over_upsampled").attr_ints("factors") == std::vector<int64_t>{1, 2});
  }
}

TEST_CASE("compose_int8_fpn: a channel with one large weight among small ones would lose these, so its convolution stays") {
  Random random(7);
  std::vector<int8_t> in2(static_cast<size_t>(kWide * 16)), in3(static_cast<size_t>(kWide * 24)),
      p3(static_cast<size_t>(kNarrow * kWide * 9));
  for (std::vector<int8_t>* lateral : {&in2, &in3})
    for (int8_t& w : *lateral) w = static_cast<int8_t>(random.integer(-20, 20));
  for (int8_t& w : p3) w = static_cast<int8_t>(random.integer(-3, 3));
  in3[0] = p3[0] = 127;
  Net net = pyramid({.map_scale = 1, .sum_scale = 0.12f, .in2 = in2, .in3 = in3, .p3 = p3});
  const Graph graph = fused(net, Int8::composed);
  REQUIRE(composed(graph) == 1);
  CHECK(node_of(graph, "conv2d_over_upsampled").attr_ints("factors") == std::vector<int64_t>{1, 2, 4});
}
