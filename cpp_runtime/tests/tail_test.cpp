// Tails in the plain set, against the operators that they stand for, stated one after the other.
#include "graph/fused_tail.h"
#include "kernel_harness.h"
#include "kernels/math.h"
#include "kernels/tail.h"

namespace edgeocr::kernel_test {

namespace {

using graph::FusedTail;

std::shared_ptr<const graph::Node> activation_node(const std::string& op) {
  auto node = std::make_shared<graph::Node>();
  node->op = op;
  if (op == "leaky_relu") node->attrs["alpha"] = 0.1f;
  if (op == "hard_sigmoid") node->attrs["slope"] = 0.15f;
  if (op == "relu6") node->attrs["threshold"] = 0.4f;
  return node;
}

float activated(const std::string& op, float v) {
  if (op == "relu") return v > 0 ? v : 0;
  if (op == "relu6") return v < 0 ? 0 : std::min(v, 0.4f);
  if (op == "leaky_relu") return v > 0 ? v : v * 0.1f;
  if (op == "hard_swish") return v * (std::clamp(v + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f));
  if (op == "hard_sigmoid") return std::clamp(v * 0.15f + 0.5f, 0.0f, 1.0f);
  if (op == "sigmoid") return kernels::sigmoid_f32(v);
  if (op == "tanh") return kernels::tanh_f32(v);
  REQUIRE(op == "swish");
  return v * kernels::sigmoid_f32(v);
}

constexpr const char* kActivations[] = {"relu", "relu6", "leaky_relu", "hard_swish", "hard_sigmoid", "sigmoid", "tanh", "swish"};

// A tail for an output of this shape, drawn at random, with the residual it reads.
struct RandomTail {
  FusedTail tail;
  Dense<float> addend, residual;
  std::string activation;

  RandomTail(Random& random, const Shape& shape, const std::string& port, Operator& op) {
    const bool map = shape.rank() == 4;
    if (random.chance(50)) {
      addend = random.reals({map ? shape[1] : shape[shape.rank() - 1]});
      op.constant("addend", addend);  // gives the constant; tails do not read it by a port
      tail.addend = op.graph.values.back().constant;
    }
    if (random.chance(60)) {
      activation = random.pick(kActivations);
      tail.activation = activation_node(activation);
    }
    if (random.chance(50)) {
      Shape small = shape;
      if (map && shape[2] % 2 == 0 && shape[3] % 2 == 0 && random.chance(60)) {
        tail.residual_scale = 2;
        small[2] /= 2, small[3] /= 2;
      }
      residual = random.reals(small);
      tail.residual = static_cast<int>(op.node.inputs.size());
      op.input("Residual", residual);
    }
    const int64_t outputs = random.integer(1, 3);
    for (int64_t i = 0; i < outputs; i++) {
      if (random.chance(50)) tail.outputs.push_back({DataType::f32, 0});
      else tail.outputs.push_back({DataType::i8, random.real(0.002f, 0.03f)});
    }
    for (const FusedTail::Output& output : tail.outputs) op.output(port, output.dtype, shape);
    op.node.tail = std::make_shared<const FusedTail>(tail);
  }

  Dense<float> applied(Dense<float> y) const {
    const Shape& s = y.shape;
    const bool map = s.rank() == 4;
    for (size_t i = 0; i < y.data.size(); i++) {
      auto at = static_cast<int64_t>(i);
      const int64_t w = map ? s[3] : s[s.rank() - 1], x = at % w;
      const int64_t row = map ? at / w % s[2] : 0, c = map ? at / (w * s[2]) % s[1] : x, n = map ? at / (w * s[2] * s[1]) : 0;
      float v = y.data[i];
      if (!addend.data.empty()) v = v + addend.data[static_cast<size_t>(c)];
      if (!activation.empty()) v = activated(activation, v);
      if (tail.residual >= 0) v = v + (map ? residual.at(n, c, row / tail.residual_scale, x / tail.residual_scale) : residual.data[i]);
      y.data[i] = v;
    }
    return y;
  }
};

Dense<int8_t> quantised(const Dense<float>& y, float scale) {
  Dense<int8_t> q(y.shape);
  for (size_t i = 0; i < y.data.size(); i++) q.data[i] = kernels::quantise(y.data[i], 1.0f / scale);
  return q;
}

// `make` adds the node's own inputs and attributes and gives the output's shape and parameter; it is called twice with the same seed.
template <class Make> void check_tails(uint32_t seed, int cases, const Make& make) {
  for (int i = 0; i < cases; i++) {
    const auto own = seed + static_cast<uint32_t>(i) * 977;
    Random first(own), second(own), random(own + 1);
    auto [plain, shape, port] = make(first);
    plain.output(port, DataType::f32, shape);
    const Dense<float> result = plain.run().template dense<float>();

    auto [op, same_shape, same_port] = make(second);
    const RandomTail drawn(random, shape, port, op);
    const Dense<float> expected = drawn.applied(result);
    CAPTURE(op.node.op);
    CAPTURE(shape.str());
    CAPTURE(drawn.activation);
    for (size_t o = 0; o < drawn.tail.outputs.size(); o++) {
      const Tensor actual = op.run(o);
      if (drawn.tail.outputs[o].dtype == DataType::f32) check_equal(actual.dense<float>(), expected);
      else check_equal(actual.dense<int8_t>(), quantised(expected, drawn.tail.outputs[o].scale));
    }
  }
}

struct Made {
  Operator op;
  Shape shape;
  std::string port;
};

void conv_attributes(Operator& op, int32_t kernel, int32_t groups) {
  op.ints("strides", {1, 1});
  op.ints("paddings", {kernel / 2, kernel / 2});
  op.ints("dilations", {1, 1});
  op.attribute("groups", groups);
}

Made conv(Random& random, bool int8, bool depthwise) {
  Made made{Operator(depthwise ? "depthwise_conv2d" : "conv2d", int8 ? 2 : 1, int8 ? "fp32_out" : "def"), {}, "Output"};
  const int64_t in = random.integer(1, 19), out = depthwise ? in : random.integer(1, 27), kernel = random.chance(50) ? 1 : 3;
  const Shape input{random.integer(1, 2), in, random.integer(1, 9), random.integer(1, 9)}, filter{out, depthwise ? 1 : in, kernel, kernel};
  if (int8) {
    made.op.input("Input", random.int8s(input));
    made.op.constant("Filter", random.int8s(filter));
    made.op.attribute("Filter0_scale", std::vector<float>{0.0005f});
    made.op.attribute("Input0_scale", std::vector<float>{0.01f});
  } else {
    made.op.input("Input", random.reals(input));
    made.op.constant("Filter", random.reals(filter));
  }
  if (random.chance(70)) made.op.constant("Bias", random.reals({out}));
  conv_attributes(made.op, static_cast<int32_t>(kernel), static_cast<int32_t>(depthwise ? in : 1));
  if (random.chance(30)) made.op.attribute("fuse_relu", true);
  made.shape = {input[0], out, input[2], input[3]};
  return made;
}

}  // namespace

TEST_CASE("tail: behind fp32 convolutions") {
  check_tails(101, 60, [](Random& random) { return conv(random, false, false); });
}

TEST_CASE("tail: behind int8 convolutions") {
  check_tails(102, 60, [](Random& random) { return conv(random, true, false); });
}

TEST_CASE("tail: behind depthwise convolutions") {
  check_tails(103, 40, [](Random& random) { return conv(random, random.chance(50), true); });
}

TEST_CASE("tail: behind transposed convolutions") {
  check_tails(104, 30, [](Random& random) {
    Made made{Operator("conv2d_transpose"), {}, "Output"};
    const Shape input{1, random.integer(1, 12), random.integer(1, 6), random.integer(1, 6)};
    const int64_t out = random.integer(1, 12);
    made.op.input("Input", random.reals(input));
    made.op.constant("Filter", random.reals({input[1], out, 2, 2}));
    made.op.ints("strides", {2, 2});
    made.op.ints("paddings", {0, 0});
    made.op.ints("dilations", {1, 1});
    made.op.attribute("groups", 1);
    made.shape = {1, out, 2 * input[2], 2 * input[3]};
    return made;
  });
}

TEST_CASE("tail: behind matrix products") {
  check_tails(105, 60, [](Random& random) {
    const bool int8 = random.chance(50);
    Made made{Operator("matmul", int8 ? 2 : 1), {}, "Out"};
    const int64_t k = random.integer(1, 20), n = random.integer(1, 40);
    const Shape input{random.integer(1, 3), random.integer(1, 7), k};
    if (int8) {
      made.op.input("X", random.int8s(input));
      made.op.constant("Y", random.int8s({k, n}));
      made.op.attribute("X0_scale", std::vector<float>{0.01f});
      made.op.attribute("Y0_scale", std::vector<float>{0.003f});
    } else {
      made.op.input("X", random.reals(input));
      made.op.constant("Y", random.reals({k, n}));
    }
    made.shape = {input[0], input[1], n};
    return made;
  });
}

TEST_CASE("tail: behind poolings, products of maps and activations") {
  check_tails(106, 60, [](Random& random) {
    const Shape input{random.integer(1, 2), random.integer(1, 19), random.integer(1, 8), random.integer(1, 8)};
    switch (random.integer(0, 2)) {
      case 0: {
        Made made{Operator("pool2d"), {input[0], input[1], 1, 1}, "Out"};
        made.op.input("X", random.reals(input));
        made.op.attribute("pooling_type", std::string("avg"));
        made.op.attribute("global_pooling", true);
        made.op.ints("ksize", {1, 1});
        made.op.ints("strides", {1, 1});
        made.op.ints("paddings", {0, 0});
        return made;
      }
      case 1: {
        Made made{Operator("elementwise_mul"), input, "Out"};
        made.op.input("X", random.reals(input));
        made.op.input("Y", random.reals({input[0], input[1], 1, 1}));
        made.op.attribute("axis", -1);
        return made;
      }
      default: {
        Made made{Operator("hard_sigmoid"), input, "Out"};
        made.op.input("X", random.reals(input));
        return made;
      }
    }
  });
}

TEST_CASE("tail: parameters are typed, and none is one fp32 output") {
  graph::Graph graph;
  graph.name = "t.nb";
  graph::Node node;
  node.op = "conv2d";
  kernels::TailParameters plain = kernels::parse_tail(node, graph);
  CHECK(!plain.has_steps());
  REQUIRE(plain.outputs.size() == 1);
  CHECK(!plain.outputs[0].int8());

  const std::vector<float> values{1, 2, 3};
  FusedTail tail;
  tail.addend = std::make_shared<graph::Constant>(graph::Constant{DataType::f32, {3}, nullptr, std::as_bytes(std::span(values))});
  tail.activation = activation_node("hard_swish");
  tail.residual = 0;
  tail.residual_scale = 2;
  tail.outputs = {{DataType::f32, 0}, {DataType::i8, 0.25f}};
  node.inputs = {{"Residual", 0, 0}};
  node.outputs = {{"Output", 0, 1}, {"Output", 1, 2}};
  node.tail = std::make_shared<const FusedTail>(tail);
  const kernels::TailParameters p = kernels::parse_tail(node, graph);
  CHECK(p.has_steps());
  CHECK(p.addend == values);
  REQUIRE(p.activation.has_value());
  CHECK(p.activation->op == kernels::UnaryOp::hard_swish);
  CHECK(p.activation->parameters.act.offset == 3.0f);
  CHECK(p.residual == 0);
  CHECK(p.residual_scale == 2);
  CHECK(p.outputs[1].int8());
  CHECK(p.outputs[1].inverse_scale == 4.0f);
}

TEST_CASE("tail: what makes no sense is refused") {
  graph::Graph graph;
  graph.name = "t.nb";
  graph::Node node;
  node.op = "conv2d";
  node.index = 5;
  node.outputs = {{"Output", 0, 0}};
  const auto parse = [&](const FusedTail& tail) {
    node.tail = std::make_shared<const FusedTail>(tail);
    return kernels::parse_tail(node, graph);
  };
  FusedTail tail;
  CHECK_THROWS_WITH(parse(tail), "conv2d #5: its tail has 0 outputs, expected the node's 1");
  tail.outputs = {{DataType::i8, 0}};
  CHECK_THROWS_WITH(parse(tail), "conv2d #5: scale of its tail is 0, expected more than 0");
  tail.outputs = {{DataType::i32, 1}};
  CHECK_THROWS_WITH(parse(tail), "conv2d #5: output of its tail is int32, expected fp32, fp16 or int8");
  tail.outputs = {{DataType::f32, 0}};
  tail.residual = 3;
  CHECK_THROWS_WITH(parse(tail), "t.nb: conv2d #5: residual of its tail is input 3, enlarged 1 times");
  tail.residual = -1;
  tail.activation = activation_node("softmax");
  CHECK_THROWS_WITH(parse(tail), "softmax #0: not an activation");
}

TEST_CASE("tail: operators whose kernels know no tail refuse it") {
  Operator op("softmax");
  op.input("X", Dense<float>({2, 3}));
  op.output("Out", DataType::f32, {2, 3});
  FusedTail tail;
  tail.outputs.resize(1);
  op.node.tail = std::make_shared<const FusedTail>(tail);
  CHECK_THROWS_WITH(op.kernel(), "test.nb: operator softmax #0 is not supported");
}

}  // namespace edgeocr::kernel_test
