// fp32 fc, mul and rnn by x86 against the plain set: to the bit.
#include "fc_f32.h"
#include "x86_kernels.h"

#if defined(__x86_64__)

namespace edgeocr::kernel_test {

TEST_CASE("x86 fc fp32 gives the bits of the plain set" * doctest::skip(kernels::x86::usable_inner_loops().empty())) {
  Random random(30);
  for (int i = 0; i < 200; i++) {
    std::string text;
    const Operator op = random_fc(random, text);
    CAPTURE(text);
    check_x86(op);
  }
}

TEST_CASE("x86 rnn gives the bits of the plain set" * doctest::skip(kernels::x86::usable_inner_loops().empty())) {
  Random random(31);
  for (int i = 0; i < 200; i++) {
    const int64_t steps = random.integer(1, 12), batch = random.integer(1, 3), input = 4 * random.integer(1, 8),
                  hidden = random.pick({4, 8, 12, 20, 48});
    const int64_t layers = random.integer(1, 3), directions = random.integer(1, 2), cells = layers * directions;
    Operator op("rnn");
    op.attribute("mode", std::string("LSTM"));
    op.attribute("num_layers", static_cast<int32_t>(layers));
    op.attribute("is_bidirec", directions == 2);
    op.attribute("hidden_size", static_cast<int32_t>(hidden));
    op.attribute("input_size", static_cast<int32_t>(input));
    op.input("Input", random.reals({steps, batch, input}));
    op.input("PreState", random.reals({cells, batch, hidden}));
    op.input("PreState", random.reals({cells, batch, hidden}));
    for (int64_t cell = 0; cell < cells; cell++) {
      op.constant("WeightList", random.reals({4 * hidden, cell < directions ? input : hidden * directions}));
      op.constant("WeightList", random.reals({4 * hidden, hidden}));
    }
    for (int64_t bias = 0; bias < 2 * cells; bias++) op.constant("WeightList", random.reals({4 * hidden}));
    op.output("Out", DataType::f32, {steps, batch, directions * hidden});
    CAPTURE(steps);
    CAPTURE(batch);
    CAPTURE(input);
    CAPTURE(hidden);
    CAPTURE(layers);
    CAPTURE(directions);
    check_x86(op);
  }
}

}  // namespace edgeocr::kernel_test

#endif
