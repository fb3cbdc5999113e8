// Programs that fusion passes are tested on, and what is asked of them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "graph/fused_tail.h"
#include "graph/passes/passes.h"
#include "graph_runner.h"
#include "program.h"

namespace edgeocr::test {

using kernel_test::Dense;
using kernel_test::Random;

// A Program with the operators of these nets, all weights drawn from one seed.
class Net {
 public:
  static constexpr float kFilterScale = 0.002f;  // of int8 filters

  explicit Net(uint32_t seed, std::vector<int64_t> feed = {-1, 3, -1, -1}) : random_(seed) { program_.feed("x", std::move(feed)); }

  struct Conv {
    int64_t in = 3, out = 8;
    int32_t kernel = 1, groups = 1, stride = 1;
    bool bias = false, relu = false, transposed = false;
    float int8_scale = 0;              // of the input; 0: fp32
    std::vector<int8_t> weights = {};  // of an int8 filter; none: random
    std::string op() const { return transposed ? "conv2d_transpose" : groups > 1 && groups == in ? "depthwise_conv2d" : "conv2d"; }
  };
  Net& conv(const std::string& from, const std::string& to, const Conv& c) {
    const int64_t first = c.transposed ? c.in : c.out, second = (c.transposed ? c.out : c.in) / c.groups;
    const Shape filter{first, second, c.kernel, c.kernel};
    if (c.int8_scale > 0) program_.param(to + ".w", DataType::i8, filter, c.weights.empty() ? random_.int8s(filter).data : c.weights);
    else program_.param(to + ".w", DataType::f32, filter, random_.reals(filter, -0.3f, 0.3f).data);
    Arguments inputs{{"Filter", {to + ".w"}}, {"Input", {from}}};
    if (c.bias) {
      program_.param(to + ".b", DataType::f32, {c.out}, random_.reals({c.out}).data);
      inputs.push_back({"Bias", {to + ".b"}});
    }
    const int32_t pad = c.transposed ? 0 : c.kernel / 2;
    Attrs attrs{{"strides", std::vector<int32_t>{c.stride, c.stride}},
                {"paddings", std::vector<int32_t>{pad, pad}},
                {"dilations", std::vector<int32_t>{1, 1}},
                {"groups", c.groups},
                {"fuse_relu", c.relu}};
    if (c.int8_scale > 0) {
      attrs.push_back({"Input0_scale", std::vector<float>{c.int8_scale}});
      attrs.push_back({"Filter0_scale", std::vector<float>{kFilterScale}});
    }
    program_.op(c.op(), inputs, {{"Output", {to}}}, attrs, c.int8_scale > 0 ? "fp32_out/4/2/1" : "def/4/1/1");
    return *this;
  }
  Net& unary(const std::string& op, const std::string& from, const std::string& to, const Attrs& attrs = {}) {
    program_.op(op, {{"X", {from}}}, {{"Out", {to}}}, attrs);
    return *this;
  }
  Net& binary(const std::string& op, const std::string& x, const std::string& y, const std::string& to, int32_t axis = -1) {
    program_.op(op, {{"X", {x}}, {"Y", {y}}}, {{"Out", {to}}}, {{"axis", axis}});
    return *this;
  }
  Net& add(const std::string& x, const std::string& y, const std::string& to, int32_t axis = -1) {
    return binary("elementwise_add", x, y, to, axis);
  }
  Net& calib(const std::string& from, const std::string& to, float scale) {
    program_.op("calib", {{"Input", {from}}}, {{"Out", {to}}}, {{"scale", scale}}, "fp32_to_int8/4/2/1");
    return *this;
  }
  Net& upsample(const std::string& from, const std::string& to, float factor) {
    return unary("nearest_interp_v2", from, to, {{"scale", std::vector<float>{factor, factor}}});
  }
  Net& concat(const std::vector<std::string>& from, const std::string& to) {
    program_.op("concat", {{"X", from}}, {{"Out", {to}}}, {{"axis", 1}});
    return *this;
  }
  Net& batch_norm(const std::string& from, const std::string& to, int64_t channels) {
    Arguments inputs{{"X", {from}}};
    for (const char* parameter : {"Scale", "Bias", "Mean", "Variance"}) {
      const std::string name = to + "." + parameter;
      const bool variance = std::string(parameter) == "Variance";
      program_.param(name, DataType::f32, {channels}, random_.reals({channels}, variance ? 0.2f : -1.0f, 1.0f).data);
      inputs.push_back({parameter, {name}});
    }
    program_.op("batch_norm", inputs, {{"Y", {to}}}, {{"epsilon", 1e-5f}});
    return *this;
  }
  Net& constant(const std::string& name, const Shape& shape) {
    program_.param(name, DataType::f32, shape, random_.reals(shape).data);
    return *this;
  }
  Net& op(const std::string& type, const Arguments& inputs, const Arguments& outputs, const Attrs& attrs = {}) {
    program_.op(type, inputs, outputs, attrs);
    return *this;
  }
  Net& fetch(const std::string& name) {
    program_.fetch(name, outputs_++);
    return *this;
  }

  graph::Graph build() { return graph::build(program_.model(), "t.nb"); }

 private:
  Random random_;
  Program program_;
  int32_t outputs_ = 0;
};

using Ops = std::vector<std::string>;
inline Ops ops_of(const graph::Graph& graph) {
  Ops ops;
  for (const graph::Node& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

inline const graph::Node& node_of(const graph::Graph& graph, const std::string& op, size_t nth = 0) {
  for (const graph::Node& node : graph.nodes)
    if (node.op == op && nth-- == 0) return node;
  FAIL("no node " << op);
  return graph.nodes[0];
}

// The graph before and after the fusion passes, run on one random input of `size` pixels, differ by at most `tolerance` relative to
// max(1, |value|); 0: not at all.
inline void check_same_results(Net& net, const Shape& input, double tolerance) {
  const graph::Graph before = net.build();
  graph::Graph after = net.build();
  graph::fuse(after);
  Random random(99);
  const std::vector<Dense<float>> inputs{random.reals(input)};
  const GraphRun expected(before, inputs), actual(after, inputs);
  for (size_t i = 0; i < before.outputs.size(); i++) {
    if (tolerance == 0) kernel_test::check_equal(actual.output(i), expected.output(i));
    else kernel_test::check_close(actual.output(i), expected.output(i), tolerance);
  }
}

inline graph::Graph fused(Net& net, Int8 int8 = Int8::exact) {
  graph::Graph graph = net.build();
  graph::fuse(graph, int8);
  return graph;
}

}  // namespace edgeocr::test
