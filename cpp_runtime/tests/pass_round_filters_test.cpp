// The pass that rounds filters to values of fp16.
#include <cmath>

#include "graph/passes/lower_to_fp16.h"
#include "graph/passes/round_filters.h"
#include "graph/precision.h"
#include "pass_programs.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;
using graph::Node;

namespace {

// Weights of fp16 near 0.3 are 2^-12 apart, those below more closely; the least step of all is 2^-24.
constexpr double kStep = 0x1p-12, kLeastStep = 0x1p-24;

std::vector<float> filter_of(const Graph& graph, const Node& node) {
  const auto values = graph.constant(node.input("Filter"))->as<float>();
  return {values.begin(), values.end()};
}

Graph lowered(Net& net, const std::function<bool(const Node&)>& has_kernel) {
  Graph graph = fused(net);
  graph::lower_to_fp16(graph, has_kernel);
  return graph;
}

bool is_fp16_value(double value) {
  const double unit = value == 0 ? 1 : std::ldexp(1.0, std::max(std::ilogb(value), -14) - 10);
  return value / unit == std::nearbyint(value / unit);
}

}  // namespace

TEST_CASE("round_filters: windows keep their sums, in values of fp16") {
  Net net(60);
  net.conv("x", "c", {.out = 16, .kernel = 3}).conv("c", "d", {.in = 16, .out = 16, .kernel = 5, .groups = 16}).fetch("d");
  Graph graph = lowered(net, [](const Node&) { return true; });
  for (const char* op : {"conv2d", "depthwise_conv2d"}) {
    const std::vector<float> before = filter_of(graph, node_of(graph, op));
    Graph rounded = graph;
    graph::round_filters(rounded);
    const std::vector<float> after = filter_of(rounded, node_of(rounded, op));
    REQUIRE(after.size() == before.size());
    const size_t window = op == std::string("conv2d") ? 9 : 25;
    double plain_error = 0, error = 0;  // of sums, the largest
    for (size_t first = 0; first < before.size(); first += window) {
      double sum = 0, kept = 0, plain = 0;
      for (size_t i = first; i < first + window; i++) {
        CHECK(is_fp16_value(after[i]));
        CHECK(std::abs(double{after[i]} - double{before[i]}) <= kStep);
        sum += double{before[i]}, kept += double{after[i]};
        const double unit = std::ldexp(1.0, std::max(std::ilogb(before[i]), -14) - 10);
        plain += std::nearbyint(double{before[i]} / unit) * unit;
      }
      error = std::max(error, std::abs(kept - sum));
      plain_error = std::max(plain_error, std::abs(plain - sum));
    }
    CHECK(error <= kStep / 2);
    CHECK(plain_error > kStep / 2);  // what the pass is for
  }
}

TEST_CASE("round_filters: a filter without a window is rounded to the nearest values") {
  Net net(61);
  net.conv("x", "c", {.out = 16}).fetch("c");
  Graph graph = lowered(net, [](const Node&) { return true; });
  const std::vector<float> before = filter_of(graph, node_of(graph, "conv2d"));
  graph::round_filters(graph);
  const std::vector<float> after = filter_of(graph, node_of(graph, "conv2d"));
  for (size_t i = 0; i < before.size(); i++) {
    CHECK(is_fp16_value(after[i]));
    CHECK(std::abs(double{after[i]} - double{before[i]}) <= std::max(std::abs(double{before[i]}) * 0x1p-11, kLeastStep / 2));
  }
}

TEST_CASE("round_filters: what is not summed over a window in fp16 is left") {
  Net net(62);
  net.conv("x", "c", {.kernel = 3}).conv("c", "d", {.in = 8, .kernel = 2, .stride = 2, .transposed = true}).fetch("d");
  Graph graph = lowered(net, [](const Node& node) { return node.op != "conv2d"; });
  const std::vector<float> conv = filter_of(graph, node_of(graph, "conv2d"));
  const std::vector<float> transposed = filter_of(graph, node_of(graph, "conv2d_transpose"));
  graph::round_filters(graph);
  CHECK(filter_of(graph, node_of(graph, "conv2d")) == conv);
  CHECK(filter_of(graph, node_of(graph, "conv2d_transpose")) == transposed);
}
