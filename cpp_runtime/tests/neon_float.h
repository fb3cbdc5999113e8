// What the tests of the floating point NEON kernels share: what nets compute in, and the comparison with the plain set.
#pragma once

#if defined(__aarch64__)

#include <utility>

#include "kernels/neon/neon.h"
#include "tails.h"

namespace edgeocr::kernel_test {

// What the net around a node computes in. With int8 somewhere, its fp32 kernels give the plain set's bits; without, they are close; so are
// those of fp16, whose inputs, weights and results are rounded to eleven bits.
enum class Net { int8, fp32, fp16 };
constexpr Net kNets[] = {Net::int8, Net::fp32, Net::fp16};
constexpr double kFp32Tolerance = 1e-5;  // of the larger of 1 and the value
constexpr double kFp16Tolerance = 1e-2;  // of the larger of 1 and the largest value; sums before a bounded activation are larger

inline std::unique_ptr<kernels::Kernel> neon_kernel(const Operator& op) {
  const std::span<const kernels::KernelEntry> sets[] = {kernels::neon_fp16_set(), kernels::neon_set()};
  return kernels::create_kernel(op.node, op.graph, sets);
}

inline std::string add_tail(Operator& op, Random& random, const std::string& output, const Shape& shape, int residual_scale, Net net) {
  return add_tail(op, random, output, shape, residual_scale, net == Net::int8);
}

// The node, its inputs and its outputs in fp16; of several outputs the last stays fp32.
inline Operator in_fp16(const Operator& op) {
  Operator half = op;
  half.to_fp16();
  return half;
}

inline void check_close_to_largest(const Dense<float>& actual, const Dense<float>& expected, double tolerance = kFp16Tolerance) {
  double largest = 1;
  for (const float v : expected.data) largest = std::max(largest, std::fabs(static_cast<double>(v)));
  size_t bad = 0;
  for (size_t i = 0; i < actual.data.size(); i++) {
    const double difference = std::fabs(static_cast<double>(actual.data[i]) - static_cast<double>(expected.data[i]));
    if (!(difference <= tolerance * largest) && bad++ == 0)
      FAIL_CHECK("element " << i << " is " << actual.data[i] << ", expected " << expected.data[i] << ", the largest is " << largest);
  }
}

inline void check_output(const Tensor& actual, const Tensor& expected, Net net, double tolerance) {
  if (expected.view().dtype == DataType::i8) return check_equal(actual.dense<int8_t>(), expected.dense<int8_t>());
  if (net == Net::fp16) return check_close_to_largest(actual.widened(), expected.dense<float>());
  check_close(actual.dense<float>(), expected.dense<float>(), tolerance);
}

// All outputs of the NEON kernel are the plain set's, with one thread and with three. Zeros of either sign are equal.
inline void check_neon(Operator op, Net net = Net::int8, double tolerance = kFp32Tolerance) {
  if (net == Net::int8) {
    op.graph.nodes.emplace_back();
    op.graph.nodes.back().op = "calib";
  }
  const Operator fast_op = net == Net::fp16 ? in_fp16(op) : op;
  const auto fast = neon_kernel(fast_op);
  const std::vector<Tensor> expected = op.run(*op.kernel(), 1), one = fast_op.run(*fast, 1), three = fast_op.run(*fast, 3);
  for (size_t i = 0; i < expected.size(); i++) {
    CHECK_MESSAGE(std::memcmp(one[i].view().data, three[i].view().data, one[i].bytes()) == 0, "differs with three threads");
    check_output(one[i], expected[i], net, net == Net::int8 ? 0 : tolerance);
  }
}

// op has no output yet. That of the NEON kernel in fp16, given as fp16 or fp32, is close to the plain set's in fp32, with one thread and
// with three. tolerance: of the larger of 1 and the largest value.
inline void check_fp16(const Operator& op, const Shape& out, Random& random, std::string_view name, double tolerance) {
  Operator plain = op, half = op;
  plain.output("Out", DataType::f32, out);
  if (random.chance(30)) {
    half.to_fp16();
    half.output("Out", DataType::f32, out);
    graph::FusedTail tail;
    tail.outputs.resize(1);
    half.node.tail = std::make_shared<const graph::FusedTail>(tail);
  } else {
    half.output("Out", DataType::f32, out);
    half.to_fp16();
  }
  const auto fast = neon_kernel(half);
  CHECK(fast->name() == name);
  const Tensor expected = plain.run(*plain.kernel(), 1)[0], one = half.run(*fast, 1)[0], three = half.run(*fast, 3)[0];
  CHECK_MESSAGE(std::memcmp(one.view().data, three.view().data, one.bytes()) == 0, "differs with three threads");
  check_close_to_largest(one.widened(), expected.dense<float>(), tolerance);
}

}  // namespace edgeocr::kernel_test

#endif
