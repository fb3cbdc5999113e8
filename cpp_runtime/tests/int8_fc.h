// What the tests of the int8 matrix products share: shapes, and the fast kernel set against the plain one.
#pragma once

#include <string>

#include "kernels/int8/kernel_set.h"
#include "tails.h"

namespace edgeocr::kernel_test {

// Input, the number of its dimensions that count rows, output.
struct FcShapes {
  Shape in;
  int rows;
  Shape out;
};

inline FcShapes fc_shapes(Random& random, int64_t k, int64_t n) {
  const int64_t m = random.integer(1, 5), t = random.chance(10) ? random.integer(60, 140) : random.integer(1, 20);
  const FcShapes forms[] = {{{t, k}, 1, {t, n}}, {{m, t, k}, 2, {m, t, n}}, {{m, k, 2, 3}, 1, {m, n}}, {{m, t, 2, k}, 3, {m, t, 2, n}}};
  return forms[random.integer(0, 3)];
}

inline int64_t depth(const FcShapes& form) {
  int64_t k = 1;
  for (int i = form.rows; i < form.in.rank(); i++) k *= form.in[i];
  return k;
}

inline int64_t columns(Random& random) { return random.chance(20) ? random.integer(190, 420) : random.integer(1, 60); }

inline bool lacks_kernels() { return kernels::int8::usable_loops() == nullptr; }

// Every output, with one to four threads, by the kernel of that name (without its set's). Zeros of either sign are equal.
inline void check_bits(const Operator& op, const std::string& name, const std::string& text) {
  CAPTURE(text);
  const std::vector<Tensor> expected = op.run(*op.kernel(), 1);
  const auto kernel = kernels::create_kernel(op.node, op.graph, kernels::kernel_sets());
  CHECK(kernel->name() == kernels::int8::kernel_name(name));
  for (int threads = 1; threads <= 4; threads++) {
    CAPTURE(threads);
    const std::vector<Tensor> actual = op.run(*kernel, threads);
    for (size_t i = 0; i < expected.size(); i++) {
      if (expected[i].view().dtype == DataType::i8) check_equal(actual[i].dense<int8_t>(), expected[i].dense<int8_t>());
      else check_close(actual[i].dense<float>(), expected[i].dense<float>(), 0);
    }
  }
}

}  // namespace edgeocr::kernel_test
