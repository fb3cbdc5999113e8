// conv2d_transpose_pair by x86 against the plain set: to the bit.
#include "x86_kernels.h"

#if defined(__x86_64__)

namespace edgeocr::kernel_test {

namespace {

struct Case {
  int64_t batch, channels, hidden, height, width;
  Shape out() const { return {batch, 1, 4 * height, 4 * width}; }
};

Operator pair_of(const Case& c, Random& random) {
  Operator op("conv2d_transpose_pair");
  op.input("Input", random.reals({c.batch, c.channels, c.height, c.width}));
  op.constant("Filter", random.reals({c.channels, c.hidden, 2, 2}));
  op.constant("Filter", random.reals({c.hidden, 1, 2, 2}));
  if (random.chance(80)) {
    op.constant("Bias", random.reals({c.hidden}));
    op.constant("Bias", random.reals({1}));
  }
  return op;
}

// An end without a residual, which the pass that makes pairs leaves none.
std::string add_end(Operator& op, Random& random, const Shape& shape) {
  const char* act = random.pick({"sigmoid", "sigmoid", "relu", ""});
  const DataType dtype = random.chance(30) ? DataType::i8 : DataType::f32;
  op.output("Output", dtype, shape);
  graph::FusedTail tail;
  graph::Node activation;
  activation.op = act;
  if (!activation.op.empty()) tail.activation = std::make_shared<const graph::Node>(activation);
  tail.outputs.push_back({dtype, dtype == DataType::i8 ? 0.01f : 0.0f});
  op.node.tail = std::make_shared<const graph::FusedTail>(tail);
  return activation.op + " to " + name_of(dtype);
}

}  // namespace

TEST_CASE("x86 conv2d_transpose_pair gives the bits of the plain set" * doctest::skip(kernels::x86::usable_inner_loops().empty())) {
  Random random(91);
  for (int i = 0; i < 200; i++) {
    const Case c{random.integer(1, 2), random.pick({2, 5, 8, 16, 20, 24, 24, 32}), random.pick({5, 8, 17, 20, 24, 24, 40}),
                 random.integer(1, 3), random.chance(30) ? random.integer(20, 60) : random.integer(1, 13)};
    Operator op = pair_of(c, random);
    const std::string tail = add_end(op, random, c.out());
    CAPTURE(c.out().str());
    CAPTURE(c.channels);
    CAPTURE(c.hidden);
    CAPTURE(tail);
    CHECK(x86_kernel(op)->name() == "x86.conv2d_transpose_pair.fp32");
    check_x86(op);
  }
}

TEST_CASE("x86 conv2d_transpose_pair of few hidden channels is one after the other" *
          doctest::skip(kernels::x86::usable_inner_loops().empty())) {
  Random random(92);
  Operator op = pair_of({1, 8, 4, 2, 5}, random);
  op.output("Output", DataType::f32, {1, 1, 8, 20});
  CHECK(x86_kernel(op)->name() == "x86.conv2d_transpose_pair.fp32.in_sequence");
  check_x86(op);
}

}  // namespace edgeocr::kernel_test

#endif
