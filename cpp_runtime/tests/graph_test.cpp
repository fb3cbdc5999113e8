#include "graph/graph.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "graph/operators.h"
#include "graph/passes/passes.h"
#include "program.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Graph;
using graph::kNoValue;
using graph::Node;

namespace {

Graph build(Program& p) { return graph::build(p.model(), "t.nb"); }

std::string reject(Program& p) {
  return error_of([&] { build(p); });
}

std::vector<std::string> ops_of(const Graph& g) {
  std::vector<std::string> ops;
  for (const Node& node : g.nodes) ops.push_back(node.op);
  return ops;
}

using Ops = std::vector<std::string>;

Program unary(const std::string& op, const Attrs& attrs = {}, const std::string& kernel = "def/4/1/1") {
  Program p;
  p.feed("x", {-1, 3, -1, -1})
      .op(op, {{"X", {"x"}}}, {{"Out", {"y"}}}, attrs, kernel)
      .op("sigmoid", {{"X", {"y"}}}, {{"Out", {"z"}}})
      .fetch("z");
  return p;
}

std::vector<float> floats(const Graph& g, graph::ValueId id) {
  const graph::Constant* constant = g.constant(id);
  REQUIRE(constant != nullptr);
  REQUIRE(constant->dtype == DataType::f32);
  return {constant->as<float>().begin(), constant->as<float>().end()};
}

}  // namespace

TEST_CASE("graph: a name written twice is two values") {
  Program p;
  p.feed("x", {-1, 3, -1, -1});
  p.op("relu", {{"X", {"x"}}}, {{"Out", {"a"}}});
  p.op("sigmoid", {{"X", {"a"}}}, {{"Out", {"b"}}});
  p.op("tanh", {{"X", {"b"}}}, {{"Out", {"a"}}});                           // reuses a
  p.op("elementwise_add", {{"X", {"a"}}, {"Y", {"b"}}}, {{"Out", {"b"}}});  // reads both, then reuses b
  p.fetch("b");
  Graph g = build(p);
  REQUIRE(ops_of(g) == Ops{"relu", "sigmoid", "tanh", "elementwise_add"});
  CHECK(g.nodes[3].input("X") == g.nodes[2].output("Out"));
  CHECK(g.nodes[3].input("Y") == g.nodes[1].output("Out"));
  CHECK(g.nodes[0].output("Out") != g.nodes[2].output("Out"));
  CHECK(g.outputs == std::vector{g.nodes[3].output("Out")});
  CHECK(g.inputs == std::vector{g.nodes[0].input("X")});
  CHECK(g.feed_shapes[0] == Shape{-1, 3, -1, -1});
  CHECK(g.nodes[3].label() == "elementwise_add #4");
}

TEST_CASE("graph: an operator may write what it reads") {
  Program p;
  p.feed("x", {-1, 3, -1, -1})
      .op("scale", {{"X", {"x"}}}, {{"Out", {"x"}}}, {{"scale", 2.0f}})
      .op("relu", {{"X", {"x"}}}, {{"Out", {"x"}}})
      .fetch("x");
  Graph g = build(p);
  CHECK(g.nodes[0].input("X") == g.inputs[0]);
  CHECK(g.nodes[1].input("X") == g.nodes[0].output("Out"));
  CHECK(g.outputs[0] == g.nodes[1].output("Out"));
}

TEST_CASE("graph: training outputs under the name of something alive do not shadow it") {
  Program p;
  p.feed("x", {-1, 8});
  p.op("relu", {{"X", {"x"}}}, {{"Out", {"live"}}});
  p.op("reshape2", {{"X", {"x"}}}, {{"Out", {"r"}}, {"XShape", {"live"}}}, {{"shape", std::vector<int32_t>{0, 2, 4}}});
  p.op("reshape2", {{"X", {"r"}}}, {{"Out", {"s"}}, {"XShape", {"x"}}}, {{"shape", std::vector<int32_t>{0, 8}}});
  p.op("elementwise_add", {{"X", {"s"}}, {"Y", {"live"}}}, {{"Out", {"y"}}});
  p.fetch("y");
  Graph g = build(p);
  CHECK(g.nodes[3].input("Y") == g.nodes[0].output("Out"));
  for (const Node& node : g.nodes) CHECK(node.output("XShape") == kNoValue);
}

TEST_CASE("graph: what nobody reads is dropped, and its parameters with it") {
  Program p;
  p.feed("x", {-1, 3, -1, -1}).filled("w", {4, 3, 1, 1}).filled("unused", {3});
  p.op("conv2d", {{"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"a"}}});
  p.op("relu", {{"X", {"a"}}}, {{"Out", {"b"}}});
  p.op("split", {{"X", {"x"}}}, {{"Out", {"s0", "s1", "s2"}}}, {{"axis", 1}, {"num", 3}});
  p.op("sigmoid", {{"X", {"s1"}}}, {{"Out", {"y"}}});
  p.fetch("y");
  Graph g = build(p);
  REQUIRE(ops_of(g) == Ops{"split", "sigmoid"});
  CHECK(g.nodes[0].outputs[0].value == kNoValue);
  CHECK(g.nodes[0].outputs[1].value != kNoValue);
  CHECK(g.nodes[0].outputs[2].value == kNoValue);
  CHECK(std::ranges::none_of(g.values, [](const graph::Value& v) { return v.constant != nullptr; }));
}

TEST_CASE("graph: programs that do not hold together are refused") {
  Program unknown;
  unknown.feed("x", {1}).op("deformable_conv", {{"X", {"x"}}}, {{"Out", {"y"}}}).fetch("y");
  CHECK(reject(unknown) == "t.nb: operator deformable_conv is not supported (deformable_conv #1)");
  Program missing;
  missing.feed("x", {1}).op("relu", {{"X", {"ghost"}}}, {{"Out", {"y"}}}).fetch("y");
  CHECK(reject(missing) == "t.nb: relu #1 reads variable ghost, expected a parameter or an operator's output");
  Program no_feed;
  no_feed.filled("w", {1}).fetch("w");
  CHECK(reject(no_feed) == "t.nb: has no feed operator, expected at least one");
  Program no_fetch;
  no_fetch.feed("x", {1});
  CHECK(reject(no_fetch) == "t.nb: has no fetch operator, expected at least one");
  Program shapeless;
  shapeless.feed("x", {}).fetch("x");
  CHECK(reject(shapeless) == "t.nb: input x has no shape in the file");
  Program gap;
  gap.feed("x", {1}).fetch("x", 1);
  CHECK(reject(gap) == "t.nb: no fetch has col 0");
  Program twice;
  twice.feed("x", {1}).feed("y", {1}).fetch("x");
  CHECK(reject(twice) == "t.nb: col 0 of feed is used twice");
  Program far;
  far.feed("x", {1}, 99).fetch("x");
  CHECK(reject(far) == "t.nb: col of a feed is 99, expected 0 to 15");
  Program integers;
  integers.feed("x", {1}).fetch("x");
  integers.model().vars[0].data_type = 3;
  CHECK(reject(integers) == "t.nb: input x has data_type 3, expected 5 (fp32)");
  Program foreign;
  foreign.feed("x", {1}).op("relu", {{"X", {"x"}}}, {{"Out", {"y"}}}).fetch("y");
  foreign.model().ops[1].attrs["__@kernel_type_attr@__"] = std::string("relu");
  CHECK(reject(foreign) ==
        "t.nb: relu #1 has kernel type \"relu\", expected op/alias/target/precision/layout: the file was not written by opt");
}

TEST_CASE("graph: kernels find the inputs and the constants they need") {
  Program no_filter;
  no_filter.feed("x", {-1, 3, -1, -1}).op("conv2d", {{"Input", {"x"}}}, {{"Output", {"y"}}}).fetch("y");
  CHECK(reject(no_filter) == "t.nb: conv2d #1 has no input Filter");
  Program computed;
  computed.feed("x", {-1, 3, -1, -1}).op("conv2d", {{"Filter", {"x"}}, {"Input", {"x"}}}, {{"Output", {"y"}}}).fetch("y");
  CHECK(reject(computed) == "t.nb: conv2d #1: Filter is computed, expected a parameter of the file");
  Program strange = unary("calib", {}, "int32_to_int64/4/2/1");
  strange.model().ops[1].inputs[0].parameter = "Input";
  CHECK(reject(strange) == "t.nb: calib #1: conversion int32_to_int64 is not supported, expected fp32_to_int8 or int8_to_fp32");
}

TEST_CASE("graph: a quantised transposed convolution is refused with its reason") {
  Program p;
  p.feed("x", {-1, 3, -1, -1}).param("w", DataType::i8, {3, 1, 2, 2}, std::vector<int8_t>(12, 1));
  p.op("conv2d_transpose", {{"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"y"}}}, {}, "fp32_out/4/2/1").fetch("y");
  std::string why = reject(p);
  CHECK(why.starts_with("t.nb: conv2d_transpose #1 is int8, expected fp32: opt multiplies a batch_norm's factor into its scales"));
}

TEST_CASE("graph: fp16 markers go, operators run in fp32") {
  Program p;
  p.feed("x", {-1, 3, -1, -1});
  p.op("calib", {{"Input", {"x"}}}, {{"Out", {"h"}}}, {}, "fp32_to_fp16/4/5/1");
  p.op("relu", {{"X", {"h"}}}, {{"Out", {"r"}}}, {}, "def/4/5/1");
  p.op("calib", {{"Input", {"r"}}}, {{"Out", {"y"}}}, {}, "fp16_to_fp32/4/5/1");
  p.fetch("y");
  Graph g = build(p);
  REQUIRE(ops_of(g) == Ops{"relu"});
  CHECK(g.nodes[0].precision == 1);
  CHECK(g.nodes[0].input("X") == g.inputs[0]);
  CHECK(g.outputs[0] == g.nodes[0].output("Out"));
}

TEST_CASE("graph: operators that change nothing go") {
  Program noop = unary("scale", {{"scale", 1.0f}, {"bias", 0.0f}, {"bias_after_scale", true}});
  CHECK(ops_of(build(noop)) == Ops{"sigmoid"});
  for (const Attrs& attrs : {Attrs{{"scale", 2.0f}}, Attrs{{"bias", 1.0f}}, Attrs{{"activation_type", std::string("relu")}}}) {
    Program real = unary("scale", attrs);
    CHECK(ops_of(build(real)) == Ops{"scale", "sigmoid"});
  }
  Program dropout = unary("dropout", {{"dropout_prob", 0.3f}, {"dropout_implementation", std::string("upscale_in_train")}});
  CHECK(ops_of(build(dropout)) == Ops{"sigmoid"});
  Program downgrade = unary("dropout", {{"dropout_prob", 0.25f}, {"dropout_implementation", std::string("downgrade_in_infer")}});
  Graph g = build(downgrade);
  REQUIRE(ops_of(g) == Ops{"scale", "sigmoid"});
  CHECK(g.nodes[0].attr_float("scale") == 0.75f);
  Program copy = unary("io_copy", {}, "host_to_device/4/1/1");
  copy.model().ops[1].inputs[0].parameter = "Input";
  CHECK(ops_of(build(copy)) == Ops{"sigmoid"});
}

TEST_CASE("graph: removed operators pass on graph inputs and outputs") {
  Program p;
  p.feed("x", {-1, 3}).op("scale", {{"X", {"x"}}}, {{"Out", {"y"}}}).op("scale", {{"X", {"y"}}}, {{"Out", {"z"}}}).fetch("z");
  Graph g = build(p);
  CHECK(g.nodes.empty());
  CHECK(g.outputs == g.inputs);
}

TEST_CASE("graph: weight-only parameters become fp32, biases too") {
  Program p;
  p.feed("x", {-1, 2, -1, -1});
  p.param("w", DataType::i8, {2, 2, 1, 1}, std::vector<int8_t>{10, -20, 30, -127})
      .param("b", DataType::i16, {2}, std::vector<int16_t>{300, -4});
  p.param("m", DataType::i8, {2, 3}, std::vector<int8_t>{1, 2, 3, 4, 5, 6});
  p.op("conv2d", {{"Bias", {"b"}}, {"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"c"}}},
       {{"w_quant_scale", std::vector<float>{0.5f, 2.0f}}, {"b_quant_scale", std::vector<float>{0.25f, 1.0f}}});
  p.op("flatten2", {{"X", {"c"}}}, {{"Out", {"f"}}}, {{"axis", 1}});
  p.op("mul", {{"X", {"f"}}, {"Y", {"m"}}}, {{"Out", {"y"}}}, {{"m_quant_scale", std::vector<float>{1.0f, 10.0f, 100.0f}}});
  p.op("conv2d", {{"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"d"}}}, {{"w_quant_scale", std::vector<float>{0.5f, 2.0f}}});
  p.fetch("y").fetch("d", 1);
  Graph g = build(p);
  CHECK(floats(g, g.nodes[0].input("Filter")) == std::vector<float>{5, -10, 60, -254});
  CHECK(floats(g, g.nodes[0].input("Bias")) == std::vector<float>{75, -4});
  CHECK(floats(g, g.nodes[2].input("Y")) == std::vector<float>{1, 20, 300, 4, 50, 600});
  CHECK(g.nodes[3].input("Filter") == g.nodes[0].input("Filter"));  // expanded once
  CHECK(std::ranges::none_of(g.values, [](const graph::Value& v) { return v.constant && v.constant->dtype == DataType::i8; }));

  p.model().ops[4].attrs["w_quant_scale"] = std::vector<float>{0.5f, 3.0f};
  CHECK(reject(p) == "t.nb: conv2d #4: w_quant_scale differs from the one that another operator gives");
  p.model().ops[4].attrs["w_quant_scale"] = std::vector<float>{0.5f};
  CHECK(reject(p) == "t.nb: conv2d #4: w_quant_scale has 1 values, expected one per channel of 2x2x1x1");
}

TEST_CASE("graph: reshapes of parameters are folded") {
  Program p;
  p.feed("x", {-1, 2, -1, -1}).filled("b", {2}, 3);
  p.op("reshape2", {{"Shape", {}}, {"ShapeTensor", {}}, {"X", {"b"}}}, {{"Out", {"r"}}, {"XShape", {"s"}}},
       {{"shape", std::vector<int32_t>{1, -1, 1, 1}}});
  p.op("elementwise_add", {{"X", {"x"}}, {"Y", {"r"}}}, {{"Out", {"y"}}}, {{"axis", -1}});
  p.fetch("y");
  Graph g = build(p);
  REQUIRE(ops_of(g) == Ops{"elementwise_add"});
  const graph::Constant* bias = g.constant(g.nodes[0].input("Y"));
  REQUIRE(bias != nullptr);
  CHECK(bias->shape == Shape{1, 2, 1, 1});
  CHECK(bias->as<float>()[1] == 3);
  p.model().ops[1].attrs["shape"] = std::vector<int32_t>{1, 3, 1, 1};
  CHECK(reject(p) == "t.nb: reshape2 #1: output would be 1x3x1x1, expected 2 elements as the input 2 has");
}

TEST_CASE("graph: attributes are read by meaning, not by stored type") {
  Node node;
  node.op = "conv2d", node.index = 12;
  node.attrs = {{"int", int32_t{3}},
                {"long", int64_t{4}},
                {"yes", true},
                {"ints", std::vector<int32_t>{1, 2}},
                {"longs", std::vector<int64_t>{3}},
                {"float", 0.5f},
                {"double", 0.25},
                {"floats", std::vector<float>{1, 2}},
                {"text", std::string("relu")}};
  CHECK(node.attr_int("int") == 3);
  CHECK(node.attr_int("long") == 4);
  CHECK(node.attr_int("yes") == 1);
  CHECK(node.attr_int("none", 7) == 7);
  CHECK(node.attr_ints("ints") == std::vector<int64_t>{1, 2});
  CHECK(node.attr_ints("longs") == std::vector<int64_t>{3});
  CHECK(node.attr_ints("int") == std::vector<int64_t>{3});
  CHECK(node.attr_ints("none", {9}) == std::vector<int64_t>{9});
  CHECK(node.attr_float("float") == 0.5f);
  CHECK(node.attr_float("double") == 0.25f);
  CHECK(node.attr_floats("float") == std::vector<float>{0.5f});
  CHECK(node.attr_floats("floats") == std::vector<float>{1, 2});
  CHECK(node.attr_string("text") == "relu");
  CHECK(node.attr_string("none", "x") == "x");
  CHECK(error_of([&] { node.attr_int("none"); }) == "conv2d #12: attribute none is missing");
  CHECK(error_of([&] { node.attr_int("float"); }) == "conv2d #12: attribute float has the wrong type, expected an integer or boolean");
  CHECK(error_of([&] { node.attr_int("text", 1); }) == "conv2d #12: attribute text has the wrong type, expected an integer or boolean");
  CHECK(error_of([&] { node.attr_float("int"); }) == "conv2d #12: attribute int has the wrong type, expected a float");
  CHECK(error_of([&] { node.attr_string("int"); }) == "conv2d #12: attribute int has the wrong type, expected a string");
  CHECK(error_of([&] { node.attr_ints("floats"); }) == "conv2d #12: attribute floats has the wrong type, expected integers");
}

TEST_CASE("graph: inputs are found by parameter and position") {
  Node node;
  node.inputs = {{"X", 0, 5}, {"X", 1, 6}, {"Y", 0, 7}};
  CHECK(node.input("X") == 5);
  CHECK(node.input("X", 1) == 6);
  CHECK(node.input("Z") == kNoValue);
  CHECK(node.input_position("X", 1) == 1);
  CHECK(node.input_position("Y") == 2);
  CHECK(node.input_position("X", 2) == -1);
  CHECK(node.all_inputs("X") == std::vector<graph::ValueId>{5, 6});
}

TEST_CASE("graph: the passes have names of their own, the check comes last") {
  auto passes = graph::passes();
  REQUIRE(!passes.empty());
  for (size_t i = 0; i < passes.size(); i++)
    for (size_t j = 0; j < i; j++) CHECK(passes[i].name != passes[j].name);
  CHECK(passes.back().name == "check_operators");
}

TEST_CASE("graph: the public models become SSA graphs") {
  std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("skipped: EDGEOCR_TEST_DATA is not set");
  for (const std::string& path : paths) {
    INFO(path);
    Graph g = graph::build(nb::read_file(path), path);
    std::vector<int> writes(g.values.size(), 0);
    for (graph::ValueId id : g.inputs) writes[static_cast<size_t>(id)]++;
    for (const Node& node : g.nodes) {
      for (const graph::Port& port : node.inputs) {
        bool constant = g.constant(port.value) != nullptr;
        CHECK(writes[static_cast<size_t>(port.value)] == (constant ? 0 : 1));
      }
      for (const graph::Port& port : node.outputs)
        if (port.value != kNoValue) writes[static_cast<size_t>(port.value)]++;
      CHECK(graph::find_operator(node.op) != nullptr);
    }
    CHECK(std::ranges::max(writes) == 1);
    CHECK(writes[static_cast<size_t>(g.outputs[0])] == 1);
  }
}

TEST_CASE("graph: operators other than split have one result") {
  const auto with = [](const std::string& op, const std::string& parameter, std::vector<std::string> results, const Attrs& attrs = {},
                       const std::string& kernel = "def/4/1/1") {
    Program p;
    p.feed("x", {-1, 3, -1, -1})
        .op(op, {{op == "calib" || op == "shape" ? "Input" : "X", {"x"}}}, {{parameter, std::move(results)}}, attrs, kernel);
    p.fetch("a");
    return reject(p);
  };
  for (const char* op : {"scale", "relu", "shape", "dropout", "io_copy"})
    CHECK(with(op, "Out", {"a", "b"}).ends_with("has 2 results, expected 1"));
  CHECK(
      with("calib", "Out", {"a", "b"}, {{"scale", std::vector<float>{0.1f}}}, "fp32_to_int8/4/2/1").ends_with("has 2 results, expected 1"));
  CHECK(with("relu", "Other", {"a"}).ends_with("has 0 results, expected 1"));
}
