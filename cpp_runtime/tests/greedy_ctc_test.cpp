// Nets that end in greedy CTC decoding's first half instead of their scores.
#include <bit>

#include "graph/passes/greedy_ctc.h"
#include "graph_runner.h"
#include "program.h"

using namespace edgeocr;
using namespace edgeocr::test;
using kernel_test::Dense;
using kernel_test::Random;

namespace {

Program softmax_net(int32_t axis, std::vector<int64_t> feed = {-1, -1, 7}) {
  Program p;
  p.feed("x", std::move(feed)).op("softmax", {{"X", {"x"}}}, {{"Out", {"y"}}}, {{"axis", axis}}).fetch("y");
  return p;
}

graph::Graph ending_in_ctc(Program& p) {
  graph::Graph graph = graph::build(p.model(), "test.nb");
  graph::end_in_greedy_ctc(graph);
  return graph;
}

std::vector<std::string> ops_of(const graph::Graph& graph) {
  std::vector<std::string> ops;
  for (const graph::Node& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

// Few classes and steps that repeat, so that every case of decoding comes up.
Dense<float> scores(Random& random, const Shape& shape) {
  Dense<float> d = random.reals(shape, 0, 1);
  for (int64_t step = 0; step < shape[0] * shape[1]; step++) d.data[static_cast<size_t>(step * shape[2] + random.integer(0, 2))] += 2;
  return d;
}

// Both outputs say what the whole scores do.
void check_outputs(const GraphRun& run, const Dense<float>& whole) {
  const Dense<float> classes = run.output(0), probabilities = run.output(1);
  const int64_t steps = whole.shape[1], n = whole.shape[2];
  REQUIRE(classes.shape == Shape{whole.shape[0], steps});
  int32_t before = 0;
  int kept = 0;
  for (size_t step = 0; step < classes.data.size(); step++) {
    if (static_cast<int64_t>(step) % steps == 0) before = 0;
    const float* row = whole.data.data() + static_cast<int64_t>(step) * n;
    const auto expected = static_cast<int32_t>(std::max_element(row, row + n) - row);
    const bool keeps = expected != 0 && expected != before;
    CHECK(std::bit_cast<int32_t>(classes.data[step]) == expected);
    CHECK(std::bit_cast<int32_t>(probabilities.data[step]) == std::bit_cast<int32_t>(keeps ? row[expected] : 0.0f));
    kept += keeps;
    before = expected;
  }
  CHECK(kept > 0);
}

}  // namespace

TEST_CASE("greedy_ctc takes in a softmax over the classes") {
  Random random(60);
  for (int32_t axis : {-1, 2}) {
    Program p = softmax_net(axis);
    const graph::Graph whole = graph::build(p.model(), "test.nb"), graph = ending_in_ctc(p);
    CHECK(ops_of(graph) == std::vector<std::string>{"greedy_ctc"});
    CHECK(graph::greedy_ctc_scores(graph) == graph.inputs[0]);
    const Dense<float> x = scores(random, {3, 40, 7});
    check_outputs(GraphRun(graph, {x}), GraphRun(whole, {x}).output());
  }
}

TEST_CASE("greedy_ctc reads scores that are made otherwise") {
  Random random(61);
  Program relu;
  relu.feed("x", {-1, -1, 7}).op("relu", {{"X", {"x"}}}, {{"Out", {"y"}}}).fetch("y");
  Program over_steps = softmax_net(1);
  for (Program* p : {&relu, &over_steps}) {
    const graph::Graph whole = graph::build(p->model(), "test.nb"), graph = ending_in_ctc(*p);
    CHECK(ops_of(graph) == std::vector<std::string>{ops_of(whole)[0], "greedy_ctc"});
    const Dense<float> x = scores(random, {2, 30, 7});
    check_outputs(GraphRun(graph, {x}), GraphRun(whole, {x}).output());
  }
}

TEST_CASE("outputs that are not N x steps x classes stay") {
  Program matrix = softmax_net(-1, {-1, 7}), map = softmax_net(-1, {-1, 3, -1, -1});
  for (Program* p : {&matrix, &map}) {
    const graph::Graph graph = ending_in_ctc(*p);
    CHECK(ops_of(graph) == std::vector<std::string>{"softmax"});
    CHECK(graph::greedy_ctc_scores(graph) == graph::kNoValue);
  }
}
