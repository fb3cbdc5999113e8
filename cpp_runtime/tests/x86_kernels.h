// What the tests of the x86 kernels share: the comparison with the plain set, bit by bit.
#pragma once

#if defined(__x86_64__)

#include "kernels/x86/inner_loops.h"
#include "kernels/x86/x86.h"
#include "tails.h"

namespace edgeocr::kernel_test {

inline std::unique_ptr<kernels::Kernel> x86_kernel(const Operator& op) {
  const std::span<const kernels::KernelEntry> sets[] = {kernels::x86_set()};
  return kernels::create_kernel(op.node, op.graph, sets);
}

// All outputs of the x86 kernel are the plain set's on every level of this machine that has the kernel, with one thread and with three.
// Zeros of either sign are equal.
inline void check_x86(const Operator& op, double tolerance = 0) {
  const std::vector<Tensor> expected = op.run(*op.kernel(), 1);
  for (const kernels::x86::InnerLoops* level : kernels::x86::usable_inner_loops()) {
    CAPTURE(level->isa);
    kernels::x86::use_inner_loops(*level);
    const std::span<const kernels::KernelEntry> sets[] = {kernels::x86_set(), kernels::generic_set()};
    const auto fast = kernels::create_kernel(op.node, op.graph, sets);
    const std::vector<Tensor> one = op.run(*fast, 1), three = op.run(*fast, 3);
    for (size_t i = 0; i < expected.size(); i++) {
      CHECK_MESSAGE(std::memcmp(one[i].view().data, three[i].view().data, one[i].bytes()) == 0, "differs with three threads");
      if (expected[i].view().dtype == DataType::i8) {
        check_equal(one[i].dense<int8_t>(), expected[i].dense<int8_t>());
      } else {
        check_close(one[i].dense<float>(), expected[i].dense<float>(), tolerance);
      }
    }
  }
  if (!kernels::x86::usable_inner_loops().empty()) kernels::x86::use_inner_loops(*kernels::x86::usable_inner_loops().front());
}

}  // namespace edgeocr::kernel_test

#endif
