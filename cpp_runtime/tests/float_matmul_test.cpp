// fc, mul and rnn of the fast kernel sets against the plain one: in nets with int8 to the bit, in fp32 and fp16 within a bound.
#include "float_kernels.h"

#if defined(__aarch64__) || defined(__x86_64__)

namespace edgeocr::kernel_test {

namespace {

// Any of the shapes, tails and activations that there are; `text` tells them.
Operator random_fc(Random& random, std::string& text) {
  const int64_t k = 4 * random.integer(1, 30), n = random.integer(1, 90);
  const bool mul = random.chance(30);
  // Input, the number of its dimensions that count rows, output.
  struct Form {
    Shape in;
    int rows;
    Shape out;
  };
  const int64_t m = random.integer(1, 9), t = random.integer(1, 20);
  const Form forms[] = {{{t, k}, 1, {t, n}}, {{m, t, k}, 2, {m, t, n}}, {{m, k / 4, 2, 2}, 1, {m, n}}, {{m, t, 2, k}, 3, {m, t, 2, n}}};
  const Form form = forms[random.integer(0, 3)];
  Operator op(mul ? "mul" : "fc");
  op.input(mul ? "X" : "Input", random.reals(form.in));
  op.constant(mul ? "Y" : "W", random.reals({k, n}));
  if (!mul && random.chance(80)) op.constant("Bias", random.reals({n}));
  op.attribute(mul ? "x_num_col_dims" : "in_num_col_dims", static_cast<int32_t>(form.rows));
  text = op.node.op + " " + form.in.str() + " to " + form.out.str();
  if (!mul && random.chance(40)) op.attribute("activation_type", std::string(random.pick({"relu", "relu6"})));
  if (form.out.rank() == 4) op.output("Out", DataType::f32, form.out);
  else text += add_tail(op, random, "Out", form.out);
  return op;
}

struct Lstm {
  int64_t steps, batch, input, hidden, layers, directions;

  Shape out() const { return {steps, batch, directions * hidden}; }
};

// Without an output. Weights are of up to `reach`.
Operator rnn(Random& random, const Lstm& l, float reach) {
  const int64_t cells = l.layers * l.directions;
  Operator op("rnn");
  op.attribute("mode", std::string("LSTM"));
  op.attribute("num_layers", static_cast<int32_t>(l.layers));
  op.attribute("is_bidirec", l.directions == 2);
  op.attribute("hidden_size", static_cast<int32_t>(l.hidden));
  op.attribute("input_size", static_cast<int32_t>(l.input));
  op.input("Input", random.reals({l.steps, l.batch, l.input}));
  op.input("PreState", random.reals({cells, l.batch, l.hidden}));
  op.input("PreState", random.reals({cells, l.batch, l.hidden}));
  for (int64_t cell = 0; cell < cells; cell++) {
    const int64_t width = cell < l.directions ? l.input : l.hidden * l.directions;
    op.constant("WeightList", random.reals({4 * l.hidden, width}, -reach, reach));
    op.constant("WeightList", random.reals({4 * l.hidden, l.hidden}, -reach, reach));
  }
  for (int64_t bias = 0; bias < 2 * cells; bias++) op.constant("WeightList", random.reals({4 * l.hidden}));
  return op;
}

std::string text_of(const Lstm& l) {
  return Shape{l.steps, l.batch, l.input}.str() + " to " + std::to_string(l.hidden) + ", " + std::to_string(l.layers) + " layers, " +
         std::to_string(l.directions) + " directions";
}

}  // namespace

TEST_CASE("float fc gives the bits of the plain set in nets with int8" * doctest::skip(lacks_float_kernels())) {
  Random random(30);
  for (int i = 0; i < 200; i++) {
    std::string text;
    const Operator op = random_fc(random, text);
    CAPTURE(text);
    check_fast(op);
    if (kPlainInFp32) check_fast(op, Net::fp32, 0);
  }
}

// Sums begin with the bias.
TEST_CASE("float fc is close to the plain set in nets without int8" * doctest::skip(lacks_float_kernels())) {
  Random random(32);
  for (int i = 0; i < 200; i++) {
    const int64_t k = 4 * random.integer(1, 30), n = random.integer(1, 90), m = random.integer(1, 20);
    Operator op("fc");
    op.input("Input", random.reals({m, k}));
    op.constant("W", random.reals({k, n}));
    op.constant("Bias", random.reals({n}));
    op.attribute("in_num_col_dims", 1);
    const std::string text = Shape{m, k}.str() + " to " + std::to_string(n) + add_tail(op, random, "Out", {m, n}, 1, Net::fp32);
    CAPTURE(text);
    check_fast(op, Net::fp32);
  }
}

TEST_CASE("float rnn gives the bits of the plain set" * doctest::skip(lacks_float_kernels())) {
  Random random(31);
  for (int i = 0; i < 200; i++) {
    const Lstm lstm{.steps = random.integer(1, 12),
                    .batch = random.integer(1, 3),
                    .input = 4 * random.integer(1, 8),
                    .hidden = random.pick({4, 8, 12, 20, 48}),
                    .layers = random.integer(1, 3),
                    .directions = random.integer(1, 2)};
    CAPTURE(text_of(lstm));
    Operator op = rnn(random, lstm, 1);
    op.output("Out", DataType::f32, lstm.out());
    for (const Net net : {Net::int8, Net::fp32}) check_fast(op, net, 0);
  }
}

#if defined(__aarch64__)

// Rounded inputs and weights, and sums in fp16.
TEST_CASE("neon fc fp16 is close to the plain set") {
  Random random(33);
  for (int i = 0; i < 200; i++) {
    const int64_t k = 8 * random.integer(1, 15), n = random.integer(24, 110), m = random.integer(1, 120);
    const float reach = 2 / std::sqrt(static_cast<float>(k));
    const bool map = random.chance(20);
    Operator op("fc");
    op.input("Input", random.reals(map ? Shape{m, k / 4, 2, 2} : Shape{m, k}));
    op.constant("W", random.reals({k, n}, -reach, reach));
    if (random.chance(80)) op.constant("Bias", random.reals({n}));
    op.attribute("in_num_col_dims", 1);
    if (random.chance(20)) op.attribute("activation_type", std::string("relu"));
    const bool long_sums = random.chance(50);
    if (long_sums) op.attribute(std::string(graph::kLongSums), true);
    const std::string text = Shape{m, k}.str() + " to " + std::to_string(n) + (long_sums ? " long sums" : "");
    CAPTURE(text);
    if (random.chance(50)) {
      check_fp16(op, {m, n}, random, "neon.fc.fp16", 5e-3);
    } else {
      const std::string tail = add_tail(op, random, "Out", {m, n}, 1, Net::fp16);
      CAPTURE(tail);
      check_fast(op, Net::fp16);
    }
  }
}

// Rounded inputs, weights and h, and products in fp16; gates and cells are fp32.
TEST_CASE("neon rnn fp16 is close to the plain set") {
  Random random(34);
  for (int i = 0; i < 200; i++) {
    const Lstm lstm{.steps = random.integer(1, 12),
                    .batch = random.integer(1, 3),
                    .input = 8 * random.integer(1, 6),
                    .hidden = random.pick({8, 16, 24, 32, 40, 48}),
                    .layers = random.integer(1, 3),
                    .directions = random.integer(1, 2)};
    CAPTURE(text_of(lstm));
    Operator op = rnn(random, lstm, 2 / std::sqrt(static_cast<float>(lstm.hidden)));
    if (random.chance(50)) op.attribute(std::string(graph::kLongSums), true);
    check_fp16(op, lstm.out(), random, "neon.rnn.lstm.fp16", 5e-3);
  }
}

#endif

}  // namespace edgeocr::kernel_test

#endif
