// fc and mul of fp32, for the tests of the sets that have their own.
#pragma once

#include <string>

#include "tails.h"

namespace edgeocr::kernel_test {

// Any of the shapes, tails and activations that there are; `text` tells them.
inline Operator random_fc(Random& random, std::string& text) {
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

}  // namespace edgeocr::kernel_test
