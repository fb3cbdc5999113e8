// Element-wise operators: broadcasting, activations, scale, batch_norm.
#include <functional>
#include <map>

#include "kernel_harness.h"
#include "kernels/math.h"

namespace edgeocr::kernel_test {

namespace {

constexpr int64_t kChannels[] = {1, 2, 3, 4, 5, 8, 10, 17, 24};

Shape random_shape(Random& random) {
  switch (random.integer(0, 3)) {
    case 0: return {random.integer(1, 4), random.integer(1, 40)};
    case 1: return {random.integer(1, 9), random.integer(1, 3), random.integer(1, 33)};
    default: return {random.integer(1, 2), random.pick(kChannels), random.integer(1, 9), random.integer(1, 13)};
  }
}

// Some dimensions of `shape` to 1, and with a lower rank: the first dimension of the result is shape's `axis`.
Shape broadcastable(Random& random, const Shape& shape, int64_t& axis) {
  const int rank = shape.rank();
  const int first = random.chance(50) ? 0 : static_cast<int>(random.integer(0, rank - 1));
  const int last = random.chance(60) || first == 0 ? rank : static_cast<int>(random.integer(first + 1, rank));
  std::vector<int64_t> dims;
  for (int i = first; i < last; i++) dims.push_back(random.chance(35) ? 1 : shape[i]);
  axis = first == 0 && last == rank ? -1 : last == rank && random.chance(50) ? -1 : first;
  return Shape(dims);
}

float naive(const std::string& op, float a, float b) {
  if (op == "add") return a + b;
  if (op == "sub") return a - b;
  if (op == "mul") return a * b;
  return a / b;
}

// Element of `d` at an index of `out`, d's first dimension being out's `first`.
float element(const Dense<float>& d, const Shape& out, int first, int64_t index) {
  int64_t at = 0, step = 1;
  for (int i = out.rank() - 1; i >= 0; i--) {
    const int own = i - first;
    if (own >= 0 && own < d.shape.rank()) {
      if (d.shape[own] != 1) at += index % out[i] * step;
      step *= d.shape[own];
    }
    index /= out[i];
  }
  return d.data[static_cast<size_t>(at)];
}

}  // namespace

TEST_CASE("elementwise operators broadcast as Paddle does") {
  Random random(31);
  for (int i = 0; i < 400; i++) {
    const Shape out = random_shape(random);
    int64_t axis = -1;
    const Shape small = random.chance(30) ? out : broadcastable(random, out, axis);
    const bool swap = random.chance(20);
    // Each dimension of the output must come from one of the two.
    const Shape large = out;
    const std::string name = random.pick({"add", "sub", "mul", "div"});
    const bool fused = random.chance(25), constant = random.chance(40);
    CAPTURE(out.str());
    CAPTURE(small.str());
    CAPTURE(axis);
    CAPTURE(swap);
    CAPTURE(constant);
    const Dense<float> a = random.reals(large), b = random.reals(small, 0.5f, 2.0f);
    Operator op(fused ? "fusion_elementwise_" + name + "_activation" : "elementwise_" + name);
    op.attribute("axis", static_cast<int32_t>(axis));
    if (fused) op.attribute("act_type", std::string("relu"));
    const auto add_small = [&](const char* parameter) {
      if (constant) {
        op.constant(parameter, b);
      } else {
        op.input(parameter, b);
      }
    };
    if (swap) {
      add_small("X");
      op.input("Y", a);
    } else {
      op.input("X", a);
      add_small("Y");
    }
    op.output("Out", DataType::f32, out);
    const int first = small.rank() == out.rank() || axis == -1 ? out.rank() - small.rank() : static_cast<int>(axis);
    Dense<float> expected(out);
    for (int64_t at = 0; at < out.count(); at++) {
      const float x = element(a, out, 0, at), y = element(b, out, first, at);
      const float v = swap ? naive(name, y, x) : naive(name, x, y);
      expected.data[static_cast<size_t>(at)] = fused ? std::max(v, 0.0f) : v;
    }
    for (const Tensor& level : op.all_levels()) check_close(level.dense<float>(), expected, 0);
  }
}

TEST_CASE("both operands may be broadcast") {
  Random random(32);
  const Dense<float> x = random.reals({2, 1, 4, 5}), y = random.reals({2, 7, 1, 1});
  Operator op("elementwise_mul");
  op.attribute("axis", -1);
  op.input("X", x);
  op.input("Y", y);
  op.output("Out", DataType::f32, {2, 7, 4, 5});
  Dense<float> expected({2, 7, 4, 5});
  for (int64_t n = 0; n < 2; n++)
    for (int64_t c = 0; c < 7; c++)
      for (int64_t h = 0; h < 4; h++)
        for (int64_t w = 0; w < 5; w++) expected.at(n, c, h, w) = x.at(n, 0, h, w) * y.at(n, c, 0, 0);
  check_equal(op.run().dense<float>(), expected);
}

TEST_CASE("activations equal their formulas") {
  struct Formula {
    std::function<double(double)> f;
    std::map<std::string, float> attributes;
  };
  const std::map<std::string, Formula> formulas{
      {"relu", {[](double v) { return std::max(v, 0.0); }, {}}},
      {"relu6", {[](double v) { return std::clamp(v, 0.0, 6.0); }, {{"threshold", 6.0f}}}},
      {"leaky_relu", {[](double v) { return v > 0 ? v : v * 0.1f; }, {{"alpha", 0.1f}}}},
      {"hard_swish",
       {[](double v) { return v * std::clamp(v + 3, 0.0, 6.0) / 6; }, {{"threshold", 6.0f}, {"scale", 6.0f}, {"offset", 3.0f}}}},
      {"hard_sigmoid", {[](double v) { return std::clamp(v * 0.2f + 0.5, 0.0, 1.0); }, {{"slope", 0.2f}, {"offset", 0.5f}}}},
      {"sigmoid", {[](double v) { return 1 / (1 + std::exp(-v)); }, {}}},
      {"tanh", {[](double v) { return std::tanh(v); }, {}}},
      {"swish", {[](double v) { return v / (1 + std::exp(-v * 1.5f)); }, {{"beta", 1.5f}}}},
  };
  Random random(33);
  for (const auto& [name, formula] : formulas) {
    for (int i = 0; i < 40; i++) {
      const Shape shape = random_shape(random);
      CAPTURE(name);
      CAPTURE(shape.str());
      const Dense<float> in = random.reals(shape, -8, 8);
      Operator op(name);
      for (const auto& [key, value] : formula.attributes) op.attribute(key, value);
      op.input("X", in);
      op.output("Out", DataType::f32, shape);
      Dense<float> expected(shape);
      for (size_t at = 0; at < in.data.size(); at++) expected.data[at] = static_cast<float>(formula.f(in.data[at]));
      const Dense<float> actual = op.run().dense<float>();
      check_close(actual, expected, 1e-6);
      // No fused multiply-add in these: all levels agree to the bit.
      for (const Tensor& level : op.other_levels()) check_equal(level.dense<float>(), actual);
    }
  }
}

TEST_CASE("hard_swish multiplies in the order of Paddle-Lite 2.13") {
  Random random(34);
  const Dense<float> in = random.reals({1, 16, 20, 20}, -4, 4);
  Operator op("hard_swish");
  op.attribute("threshold", 6.0f);
  op.attribute("scale", 6.0f);
  op.attribute("offset", 3.0f);
  op.input("X", in);
  op.output("Out", DataType::f32, in.shape);
  Dense<float> expected(in.shape);
  for (size_t i = 0; i < in.data.size(); i++) {
    const float v = in.data[i];
    expected.data[i] = v * (std::min(std::max(v + 3.0f, 0.0f), 6.0f) * (1.0f / 6.0f));
  }
  check_equal(op.run().dense<float>(), expected);
}

TEST_CASE("scale applies its bias after or before, then the activation") {
  Random random(35);
  for (int i = 0; i < 100; i++) {
    const Shape shape = random_shape(random);
    const bool after = random.chance(50), relu = random.chance(40);
    CAPTURE(shape.str());
    const Dense<float> in = random.reals(shape);
    Operator op("scale");
    op.attribute("scale", 1.7f);
    op.attribute("bias", -0.3f);
    op.attribute("bias_after_scale", after);
    if (relu) op.attribute("activation_type", std::string("relu"));
    op.input("X", in);
    op.output("Out", DataType::f32, shape);
    Dense<float> expected(shape);
    for (size_t at = 0; at < in.data.size(); at++) {
      const float v = after ? in.data[at] * 1.7f + -0.3f : (in.data[at] + -0.3f) * 1.7f;
      expected.data[at] = relu ? std::max(v, 0.0f) : v;
    }
    check_close(op.run().dense<float>(), expected, 1e-6);
  }
}

TEST_CASE("batch_norm normalises channels of maps and of rows") {
  Random random(36);
  for (int i = 0; i < 100; i++) {
    const Shape shape = random_shape(random);
    CAPTURE(shape.str());
    const int64_t channels = shape[1];
    const Dense<float> in = random.reals(shape), scale = random.reals({channels}), bias = random.reals({channels}),
                       mean = random.reals({channels});
    const Dense<float> variance = random.reals({channels}, 0.1f, 2.0f);
    Operator op("batch_norm");
    op.attribute("epsilon", 1e-3f);
    op.constant("Bias", bias);
    op.constant("Mean", mean);
    op.constant("Scale", scale);
    op.constant("Variance", variance);
    op.input("X", in);
    op.output("MeanOut", DataType::f32, {channels});
    op.node.outputs.back().value = graph::kNoValue;
    op.output("Y", DataType::f32, shape);
    const int64_t inner = shape.count() / (shape[0] * channels);
    Dense<float> expected(shape);
    for (size_t at = 0; at < in.data.size(); at++) {
      const auto c = at / static_cast<size_t>(inner) % static_cast<size_t>(channels);
      expected.data[at] = static_cast<float>(
          (static_cast<double>(in.data[at]) - mean.data[c]) / std::sqrt(variance.data[c] + 1e-3) * scale.data[c] + bias.data[c]);
    }
    check_close(op.run(1).dense<float>(), expected);
  }
}

}  // namespace edgeocr::kernel_test
