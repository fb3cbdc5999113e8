// What the tests of the fast floating point kernels share: the set of this processor, what nets compute in, and the comparison with the
// plain set.
#pragma once

#if defined(__aarch64__) || defined(__x86_64__)

#include <span>
#include <string>
#include <utility>

#if defined(__aarch64__)
#include "kernels/neon/neon.h"
#else
#include "kernels/x86/inner_loops.h"
#include "kernels/x86/x86.h"
#endif
#include "tails.h"

namespace edgeocr::kernel_test {

// What the net around a node computes in. With int8 somewhere, its fp32 kernels give the plain set's bits; without, they are close; so are
// those of fp16, whose inputs, weights and results are rounded to eleven bits.
enum class Net { int8, fp32, fp16 };
constexpr double kFp32Tolerance = 1e-5;  // of the larger of 1 and the value
constexpr double kFp16Tolerance = 1e-2;  // of the larger of 1 and the largest value; sums before a bounded activation are larger

#if defined(__aarch64__)

constexpr Net kNets[] = {Net::int8, Net::fp32, Net::fp16};
constexpr bool kPlainInFp32 = false;     // whether products that are no convolutions give the plain set's bits in nets without int8 too
constexpr bool kHasPlainBehind = false;  // whether check_fast() has the plain set for what the fast one refuses

// The most that a size may be: here, and under emulation.
constexpr int at_most(int, int emulated) { return emulated; }

// The name of a kernel of this processor's set.
inline std::string fast_name(const std::string& name) { return "neon." + name; }

inline bool lacks_float_kernels() { return false; }

// Throws where the set has none.
inline std::unique_ptr<kernels::Kernel> fast_kernel(const Operator& op) {
  const std::span<const kernels::KernelEntry> sets[] = {kernels::neon_fp16_set(), kernels::neon_set()};
  return kernels::create_kernel(op.node, op.graph, sets);
}

// Calls check(kernel) with the kernel for op.
template <class Check> void with_fast_kernels(const Operator& op, const Check& check) { check(*fast_kernel(op)); }

#else

constexpr Net kNets[] = {Net::int8, Net::fp32};
constexpr bool kPlainInFp32 = true;
constexpr bool kHasPlainBehind = true;

constexpr int at_most(int here, int) { return here; }

inline std::string fast_name(const std::string& name) { return "x86." + name; }

inline bool lacks_float_kernels() { return kernels::x86::usable_inner_loops().empty(); }

inline std::unique_ptr<kernels::Kernel> fast_kernel(const Operator& op) {
  const std::span<const kernels::KernelEntry> sets[] = {kernels::x86_set()};
  return kernels::create_kernel(op.node, op.graph, sets);
}

// Calls check(kernel) on every level of this machine; one that lacks the kernel has the plain set's.
template <class Check> void with_fast_kernels(const Operator& op, const Check& check) {
  const auto levels = kernels::x86::usable_inner_loops();
  for (const kernels::x86::InnerLoops* level : levels) {
    CAPTURE(level->isa);
    kernels::x86::use_inner_loops(*level);
    const std::span<const kernels::KernelEntry> sets[] = {kernels::x86_set(), kernels::generic_set()};
    check(*kernels::create_kernel(op.node, op.graph, sets));
  }
  if (!levels.empty()) kernels::x86::use_inner_loops(*levels.front());
}

#endif

inline std::string add_tail(Operator& op, Random& random, const std::string& output, const Shape& shape, int residual_scale, Net net) {
  return add_tail(op, random, output, shape, residual_scale, net == Net::int8);
}

// The node, its inputs and its outputs in fp16; of several outputs the last stays fp32.
inline Operator in_fp16(const Operator& op) {
  Operator half = op;
  half.to_fp16();
  return half;
}

inline Operator in_net(const Operator& op, Net net) { return net == Net::fp16 ? in_fp16(op) : op; }

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

constexpr std::span<const Net> kNetsWithoutInt8 = std::span<const Net>(kNets).subspan(1);

// Calls check(net) 200 times for each of the nets.
template <class Check> void for_each_case(std::span<const Net> nets, const Check& check) {
  for (int i = 0; i < 200; i++)
    for (const Net net : nets) check(net);
}

// All outputs of the fast kernel are the plain set's, with one thread and with three. Zeros of either sign are equal.
inline void check_fast(Operator op, Net net = Net::int8, double tolerance = kFp32Tolerance) {
  if (net == Net::int8) {
    op.graph.nodes.emplace_back();
    op.graph.nodes.back().op = "calib";
  }
  const Operator fast_op = in_net(op, net);
  const std::vector<Tensor> expected = op.run(*op.kernel(), 1);
  with_fast_kernels(fast_op, [&](const kernels::Kernel& fast) {
    const std::vector<Tensor> one = fast_op.run(fast, 1), three = fast_op.run(fast, 3);
    for (size_t i = 0; i < expected.size(); i++) {
      CHECK_MESSAGE(std::memcmp(one[i].view().data, three[i].view().data, one[i].bytes()) == 0, "differs with three threads");
      check_output(one[i], expected[i], net, net == Net::int8 ? 0 : tolerance);
    }
  });
}

#if defined(__aarch64__)

// op has no output yet. That of the kernel in fp16, given as fp16 or fp32, is close to the plain set's in fp32, with one thread and
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
  const auto fast = fast_kernel(half);
  CHECK(fast->name() == name);
  const Tensor expected = plain.run(*plain.kernel(), 1)[0], one = half.run(*fast, 1)[0], three = half.run(*fast, 3)[0];
  CHECK_MESSAGE(std::memcmp(one.view().data, three.view().data, one.bytes()) == 0, "differs with three threads");
  check_close_to_largest(one.widened(), expected.dense<float>(), tolerance);
}

#endif

}  // namespace edgeocr::kernel_test

#endif
