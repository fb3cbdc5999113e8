// conv2d_transpose_pair of the fast kernel sets against the plain one: in nets with int8 to the bit, in fp32 and fp16 within a bound.
#include "float_kernels.h"

#if defined(__aarch64__) || defined(__x86_64__)

namespace edgeocr::kernel_test {

namespace {

struct Case {
  int64_t batch, channels, hidden, height, width;
  bool sigmoid, biases;
  Shape out() const { return {batch, 1, 4 * height, 4 * width}; }
  std::string str() const {
    std::string s = "n c hidden h w:";
    for (int64_t v : {batch, channels, hidden, height, width}) s += " " + std::to_string(v);
    return s + (sigmoid ? " sigmoid" : "") + (biases ? " biases" : "");
  }
};

Operator without_output(const Case& c, Random& random, float reach) {
  Operator op("conv2d_transpose_pair");
  op.input("Input", random.reals({c.batch, c.channels, c.height, c.width}, -reach, reach));
  op.constant("Filter", random.reals({c.channels, c.hidden, 2, 2}));
  op.constant("Filter", random.reals({c.hidden, 1, 2, 2}));
  if (c.biases) {
    op.constant("Bias", random.reals({c.hidden}));
    op.constant("Bias", random.reals({1}));
  }
  return op;
}

Operator pair_of(const Case& c, Random& random, float reach) {
  Operator op = without_output(c, random, reach);
  op.output("Output", DataType::f32, c.out());
  if (c.sigmoid) {
    graph::FusedTail tail;
    graph::Node activation;
    activation.op = "sigmoid";
    tail.activation = std::make_shared<const graph::Node>(activation);
    tail.outputs.push_back({DataType::f32, 0});
    op.node.tail = std::make_shared<const graph::FusedTail>(tail);
  }
  return op;
}

}  // namespace

TEST_CASE("float conv2d_transpose_pair is the plain set's" * doctest::skip(lacks_float_kernels())) {
  Random random(91);
  for_each_case(kNets, [&](Net net) {
    const bool half = net == Net::fp16;
    const Case c{random.integer(1, 2),
                 random.pick({5, 8, 16, 20, 24, 24, 32}),
                 half ? random.pick({5, 8, 20, 24, 24, 40}) : random.pick({17, 20, 24, 24, 24}),
                 random.integer(1, 3),
                 random.chance(30) ? random.integer(14, 40) : random.integer(1, 13),
                 random.chance(80),
                 random.chance(80)};
    CAPTURE(c.str());
    const Operator op = pair_of(c, random, 1);
    CHECK(fast_kernel(in_net(op, net))->name() == fast_name(half ? "conv2d_transpose_pair.fp16" : "conv2d_transpose_pair.fp32"));
    check_fast(op, net, kPlainInFp32 ? 0 : 2e-5);  // sums of two layers
  });
}

TEST_CASE("a float conv2d_transpose_pair of few hidden channels runs as two, one after the other" * doctest::skip(lacks_float_kernels())) {
  Random random(92);
  const Operator op = pair_of({1, 8, 4, 2, 5, true, true}, random, 1);
  CHECK(fast_kernel(op)->name() == fast_name("conv2d_transpose_pair.fp32.in_sequence"));
  check_fast(op);
}

TEST_CASE("sigmoid at the end of a pair is exact from one end to the other in nets with int8" * doctest::skip(lacks_float_kernels())) {
  Random random(93);
  for (const float reach : {0.01f, 3.0f, 10.0f, 100.0f, 1e36f}) {
    Operator op = pair_of({1, 24, 24, 4, 16, true, true}, random, reach);
    op.graph.nodes.emplace_back();
    op.graph.nodes.back().op = "calib";
    const Dense<float> expected = op.run(*op.kernel(), 1)[0].dense<float>(), actual = op.run(*fast_kernel(op), 1)[0].dense<float>();
    CHECK(std::memcmp(actual.data.data(), expected.data.data(), actual.data.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("sigmoid at the end of a pair is a probability from one end to the other in fp32" * doctest::skip(lacks_float_kernels())) {
  Random random(95);
  for (const float reach : {0.01f, 1.0f, 100.0f, 1e4f, 1e30f}) {
    const Operator op = pair_of({1, 24, 24, 4, 16, true, true}, random, reach);
    const Dense<float> expected = op.run(*op.kernel(), 1)[0].dense<float>(), actual = op.run(*fast_kernel(op), 1)[0].dense<float>();
    for (size_t i = 0; i < expected.data.size(); i++) {
      CHECK((actual.data[i] >= 0 && actual.data[i] <= 1));
      CHECK(std::fabs(actual.data[i] - expected.data[i]) <= 2e-6f + 1e-5f * reach);  // sigmoid's error, a quarter of the sum's
    }
  }
}

#if defined(__aarch64__)

TEST_CASE("float conv2d_transpose_pair of other hidden channels runs as two on NEON") {
  Random random(97);
  for (const int64_t hidden : {8, 32}) {
    const Operator op = pair_of({1, 8, hidden, 2, 5, true, true}, random, 1);
    CHECK(fast_kernel(op)->name() == fast_name("conv2d_transpose_pair.fp32.in_sequence"));
    check_fast(op);
  }
}

TEST_CASE("sigmoid at the end of a pair in fp16 is within a thousandth, in nets with int8 as well") {
  Random random(96);
  for (const float reach : {0.01f, 1.0f, 4.0f, 100.0f, 300.0f})
    for (const bool int8 : {false, true})
      for (const int64_t width : {1, 3, 16, 21}) {
        CAPTURE(reach);
        CAPTURE(int8);
        CAPTURE(width);
        Operator op = pair_of({2, 8, 8, 3, width, true, true}, random, reach);
        Operator sums = op;
        sums.node.tail = nullptr;
        if (int8) {
          op.graph.nodes.emplace_back();
          op.graph.nodes.back().op = "calib";
        }
        const Operator half = in_fp16(op), half_sums = in_fp16(sums);
        // Of the sums that the kernel itself comes to: what they differ by is not the sigmoid's.
        const Dense<float> x = half_sums.run(*fast_kernel(half_sums), 1)[0].widened();
        const Dense<float> y = half.run(*fast_kernel(half), 1)[0].widened();
        size_t bad = 0;
        for (size_t i = 0; i < x.data.size(); i++) {
          const double expected = 1 / (1 + std::exp(-static_cast<double>(x.data[i])));
          bad += std::fabs(static_cast<double>(y.data[i]) - expected) <= 1e-3 && y.data[i] >= 0 && y.data[i] <= 1 ? 0 : 1;
        }
        CHECK(bad == 0);
      }
}

#else

// An end without a residual, which the pass that makes pairs leaves none.
std::string add_any_end(Operator& op, const Shape& out, Random& random) {
  const char* act = random.pick({"sigmoid", "sigmoid", "relu", ""});
  const DataType dtype = random.chance(30) ? DataType::i8 : DataType::f32;
  op.output("Output", dtype, out);
  graph::FusedTail tail;
  graph::Node activation;
  activation.op = act;
  if (!activation.op.empty()) tail.activation = std::make_shared<const graph::Node>(activation);
  tail.outputs.push_back({dtype, dtype == DataType::i8 ? 0.01f : 0.0f});
  op.node.tail = std::make_shared<const graph::FusedTail>(tail);
  return activation.op + " to " + name_of(dtype);
}

TEST_CASE("float conv2d_transpose_pair of other channels and ends is the plain set's on x86" * doctest::skip(lacks_float_kernels())) {
  Random random(97);
  for_each_case(kNets, [&](Net net) {
    const Case c{random.integer(1, 2),
                 random.pick({2, 5, 8, 16, 20, 24, 24, 32}),
                 random.pick({5, 8, 17, 20, 24, 24, 40}),
                 random.integer(1, 3),
                 random.chance(30) ? random.integer(20, 60) : random.integer(1, 13),
                 false,
                 random.chance(80)};
    Operator op = without_output(c, random, 1);
    const std::string end = add_any_end(op, c.out(), random);
    CAPTURE(c.str());
    CAPTURE(end);
    CHECK(fast_kernel(op)->name() == fast_name("conv2d_transpose_pair.fp32"));
    check_fast(op, net, 0);
  });
}

#endif

}  // namespace edgeocr::kernel_test

#endif
