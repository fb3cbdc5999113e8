// What the tests of the x86 kernels share: nodes with tails of every form, and the comparison with the plain set, bit by bit.
#pragma once

#if defined(__x86_64__)

#include <utility>

#include "graph/fused_tail.h"
#include "kernel_harness.h"
#include "kernels/x86/inner_loops.h"
#include "kernels/x86/x86.h"

namespace edgeocr::kernel_test {

inline std::unique_ptr<kernels::Kernel> x86_kernel(const Operator& op) {
  const std::span<const kernels::KernelEntry> sets[] = {kernels::x86_set()};
  return kernels::create_kernel(op.node, op.graph, sets);
}

// No level of this machine has int8 loops.
inline bool lacks_int8() {
  return kernels::x86::usable_inner_loops().empty() || kernels::x86::usable_inner_loops().front()->int8 == nullptr;
}

inline const char* x86_activation(Random& random) {
  return random.pick({"relu", "hard_swish", "hard_swish", "relu6", "leaky_relu", "sigmoid", "hard_sigmoid", "swish", "tanh"});
}

// Outputs of a shape, and a tail of any form to make them; returns it as text. residual_scale is 1 or divides height and width.
inline std::string add_tail(Operator& op, Random& random, const std::string& output, const Shape& shape, int residual_scale = 1) {
  std::string text;
  graph::FusedTail tail;
  if (random.chance(20)) {
    const int64_t n = shape[shape.rank() == 4 ? 1 : shape.rank() - 1];
    const auto owner = std::make_shared<std::vector<float>>(random.reals({n}).data);
    tail.addend =
        std::make_shared<graph::Constant>(graph::Constant{DataType::f32, {n}, owner, std::as_bytes(std::span<const float>(*owner))});
    text += " addend";
  }
  if (random.chance(60)) {
    graph::Node activation;
    activation.op = x86_activation(random);
    if (activation.op == "leaky_relu") activation.attrs["alpha"] = 0.1f;
    text += " then " + activation.op;
    tail.activation = std::make_shared<const graph::Node>(activation);
  }
  if (random.chance(40)) {
    Shape residual = shape;
    if (shape.rank() == 4) residual[2] /= residual_scale, residual[3] /= residual_scale;
    tail.residual = static_cast<int>(op.node.inputs.size());
    tail.residual_scale = residual_scale;
    op.input("Residual", random.reals(residual));
    text += " residual x" + std::to_string(residual_scale);
  }
  const int count = random.chance(20) ? 2 : 1;
  for (int i = 0; i < count; i++) {
    const DataType dtype = random.chance(30) ? DataType::i8 : DataType::f32;
    tail.outputs.push_back({dtype, dtype == DataType::i8 ? random.real(0.003f, 0.05f) : 0.0f});
    op.output(output, dtype, shape);
    text += std::string(" to ") + name_of(dtype);
  }
  const bool plain =
      tail.addend == nullptr && tail.activation == nullptr && tail.residual < 0 && count == 1 && tail.outputs[0].dtype == DataType::f32;
  if (!plain) op.node.tail = std::make_shared<const graph::FusedTail>(tail);
  return text;
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
