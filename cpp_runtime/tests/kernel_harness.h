// What the kernel tests share: nodes made by hand, tensors in row-major NCHW as the naive statements want them, and running
// a kernel on every instruction set level of this machine and with one to four threads.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/aligned.h"
#include "base/thread_pool.h"
#include "fenced_memory.h"
#include "graph/fused_tail.h"
#include "graph/precision.h"
#include "graph/row_reach.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/views.h"
#include "kernels/kernel.h"

namespace edgeocr::kernel_test {

using kernels::generic::Loops;

// Row-major, whatever its rank.
template <class T> struct Dense {
  Shape shape;
  std::vector<T> data;

  Dense() = default;
  explicit Dense(const Shape& s) : shape(s), data(static_cast<size_t>(s.count())) {}
  T& at(int64_t n, int64_t c, int64_t y, int64_t x) {
    return data[static_cast<size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)];
  }
  const T& at(int64_t n, int64_t c, int64_t y, int64_t x) const { return const_cast<Dense*>(this)->at(n, c, y, x); }
};

template <class T> constexpr DataType dtype_of() {
  return std::is_same_v<T, float> ? DataType::f32 : std::is_same_v<T, int8_t> ? DataType::i8 : DataType::i32;
}

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int64_t integer(int64_t low, int64_t high) { return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1)); }
  float real(float low, float high) { return low + (high - low) * static_cast<float>(engine_() >> 8) * 0x1p-24f; }
  bool chance(int percent) { return integer(0, 99) < percent; }
  template <class T, size_t N> T pick(const T (&values)[N]) { return values[static_cast<size_t>(integer(0, static_cast<int64_t>(N) - 1))]; }

  Dense<float> reals(const Shape& shape, float low = -1, float high = 1) {
    Dense<float> d(shape);
    for (float& v : d.data) v = real(low, high);
    return d;
  }
  Dense<int8_t> int8s(const Shape& shape) {
    Dense<int8_t> d(shape);
    for (int8_t& v : d.data) v = static_cast<int8_t>(integer(-127, 127));
    return d;
  }

 private:
  std::mt19937 engine_;
};

// A tensor in the engine's layout, in memory of its own; the bytes around and between start as rubbish.
class Tensor {
 public:
  Tensor(DataType dtype, const Shape& shape) : memory_(allocate_aligned(dense_bytes(dtype, shape) + kAlignment, "test tensor")) {
    std::memset(memory_.get(), 0x5a, dense_bytes(dtype, shape) + kAlignment);
    view_ = dense_view(dtype, shape, memory_.get());
  }
  template <class T> static Tensor of(const Dense<T>& d) {
    Tensor t(dtype_of<T>(), d.shape);
    std::memset(t.memory_.get(), 0, dense_bytes(t.view_.dtype, d.shape));
    kernels::generic::copy_strided(d.shape, sizeof(T), d.data.data(), kernels::generic::row_major_strides(d.shape), t.view_.data,
                                   kernels::generic::strides_of(t.view_));
    return t;
  }
  template <class T> Dense<T> dense() const {
    Dense<T> d(view_.shape);
    kernels::generic::copy_strided(d.shape, sizeof(T), view_.data, kernels::generic::strides_of(view_), d.data.data(),
                                   kernels::generic::row_major_strides(d.shape));
    return d;
  }
  // In the other floating point type.
  Tensor in_fp16() const {
    Tensor t(DataType::f16, view_.shape);
    for (size_t i = 0; i < bytes() / sizeof(float); i++) t.view_.as<__fp16>()[i] = static_cast<__fp16>(view_.as<float>()[i]);
    return t;
  }
  Dense<float> widened() const {
    if (view_.dtype == DataType::f32) return dense<float>();
    Tensor t(DataType::f32, view_.shape);
    for (size_t i = 0; i < bytes() / sizeof(__fp16); i++) t.view_.as<float>()[i] = static_cast<float>(view_.as<__fp16>()[i]);
    return t.dense<float>();
  }
  const TensorView& view() const { return view_; }
  size_t bytes() const { return dense_bytes(view_.dtype, view_.shape); }

  // Padding lanes zero, and nothing written behind the tensor.
  bool is_clean() const {
    for (size_t i = bytes(); i < bytes() + kAlignment; i++)
      if (memory_.get()[i] != std::byte{0x5a}) return false;
    if (!view_.is_map()) return true;
    const size_t element = size_of(view_.dtype);
    for (int64_t p = 0; p < kernels::generic::map_pixels(view_); p++)
      for (int64_t lane = view_.shape[1]; lane < view_.pixel_stride; lane++)
        for (size_t b = 0; b < element; b++)
          if (memory_.get()[static_cast<size_t>(p * view_.pixel_stride + lane) * element + b] != std::byte{0}) return false;
    return true;
  }

 private:
  std::shared_ptr<std::byte> memory_;
  TensorView view_;
};

// Threads are expensive to start under emulation: one pool per count for all tests.
inline ThreadPool& pool(int threads) {
  static std::array<std::unique_ptr<ThreadPool>, 5> pools;
  auto& slot = pools[static_cast<size_t>(threads)];
  if (!slot) slot = std::make_unique<ThreadPool>(threads);
  return *slot;
}

// One operator of a graph of its own. Inputs are added in order; constants belong to the graph, the rest is given to run().
class Operator {
 public:
  explicit Operator(std::string op, int precision = 1, std::string alias = "def") {
    node.op = std::move(op);
    node.precision = precision;
    node.alias = std::move(alias);
    graph.name = "test.nb";
  }

  template <class T> void constant(const std::string& parameter, const Dense<T>& d) {
    auto owner = std::make_shared<std::vector<T>>(d.data);
    const auto bytes = std::as_bytes(std::span<const T>(*owner));
    graph.values.push_back({parameter, std::make_shared<graph::Constant>(graph::Constant{dtype_of<T>(), d.shape, owner, bytes})});
    // Constants come without strides.
    add(parameter, TensorView{dtype_of<T>(), d.shape, const_cast<std::byte*>(bytes.data())});
  }
  void input(const std::string& parameter, const Tensor& tensor) {
    graph.values.push_back({parameter, nullptr});
    add(parameter, tensor.view());
    tensors_.push_back(tensor);
  }
  template <class T> void input(const std::string& parameter, const Dense<T>& d) { input(parameter, Tensor::of(d)); }
  void output(const std::string& parameter, DataType dtype, const Shape& shape) {
    graph.values.push_back({parameter, nullptr});
    const auto index =
        static_cast<int>(std::ranges::count_if(node.outputs, [&](const graph::Port& p) { return p.parameter == parameter; }));
    node.outputs.push_back({parameter, index, static_cast<graph::ValueId>(graph.values.size() - 1)});
    shapes_.push_back({dtype, shape});
  }
  template <class T> void attribute(const std::string& name, T value) { node.attrs[name] = std::move(value); }
  void ints(const std::string& name, std::vector<int32_t> values) { node.attrs[name] = std::move(values); }

  // Outputs of fp16; of several the last stays fp32.
  void outputs_to_fp16() {
    graph::FusedTail tail;
    if (node.tail != nullptr) tail = *node.tail;
    tail.outputs.resize(node.outputs.size());
    for (size_t i = 0; i < shapes_.size(); i++)
      if (i == 0 || i + 1 < shapes_.size()) tail.outputs[i].dtype = shapes_[i].first = DataType::f16;
    node.tail = std::make_shared<const graph::FusedTail>(tail);
  }

  // The node at its fp16 precision, with inputs rounded to fp16.
  void to_fp16() {
    node.precision = graph::kFp16Precision;
    outputs_to_fp16();
    size_t tensor = 0;
    for (size_t i = 0; i < inputs_.size(); i++) {
      if (graph.constant(node.inputs[i].value) != nullptr) continue;
      tensors_[tensor] = tensors_[tensor].in_fp16();
      inputs_[i] = tensors_[tensor++].view();
    }
  }

  std::unique_ptr<kernels::Kernel> kernel() const {
    const std::span<const kernels::KernelEntry> sets[] = {kernels::generic_set()};
    return kernels::create_kernel(node, graph, sets);
  }

  // All outputs, by the kernel and the number of threads given. Fails the test if the kernel leaves anything unclean.
  std::vector<Tensor> run(const kernels::Kernel& kernel, int threads) const {
    std::vector<Tensor> outputs;
    std::vector<TensorView> views;
    for (const auto& [dtype, shape] : shapes_) {
      outputs.emplace_back(dtype, shape);
      views.push_back(outputs.back().view());
    }
    const size_t scratch_bytes = kernel.scratch_bytes(inputs_, views, threads);
    const auto scratch = allocate_aligned(scratch_bytes + kAlignment, "scratch");
    std::memset(scratch.get(), 0x5a, scratch_bytes + kAlignment);
    kernel.run({pool(threads), scratch.get()}, inputs_, views);
    const auto is_fence = [](std::byte b) { return b == std::byte{0x5a}; };
    CHECK(std::all_of(scratch.get() + scratch_bytes, scratch.get() + scratch_bytes + kAlignment, is_fence));
    for (const Tensor& t : outputs) CHECK(t.is_clean());
    if (threads == 1 && kernel.by_rows()) check_in_bands(kernel, outputs);
    return outputs;
  }

  // An output by the best level of this machine with one thread, after checking that two to four threads give the same bits.
  Tensor run(size_t output = 0) const {
    const auto made = kernel();
    const Tensor one = run(*made, 1)[output];
    for (int threads = 2; threads <= 4; threads++) {
      const Tensor more = run(*made, threads)[output];
      CHECK_MESSAGE(std::memcmp(one.view().data, more.view().data, one.bytes()) == 0, "differs with " << threads << " threads");
    }
    return one;
  }
  // An output by the other levels of this machine.
  std::vector<Tensor> other_levels(size_t output = 0) const {
    std::vector<Tensor> results;
    for (const Loops* loops : kernels::generic::usable_loops().subspan(1)) {
      kernels::generic::use_loops(*loops);
      results.push_back(run(*kernel(), 1)[output]);
    }
    kernels::generic::use_loops(*kernels::generic::usable_loops().front());
    return results;
  }
  // run() and other_levels() together.
  std::vector<Tensor> all_levels(size_t output = 0) const {
    std::vector<Tensor> results = other_levels(output);
    results.push_back(run(output));
    return results;
  }

  graph::Node node;
  graph::Graph graph;

 private:
  // Runs a kernel that works by rows as a session does, some rows after the other, where only the rows that they need are in memory.
  void check_in_bands(const kernels::Kernel& kernel, const std::vector<Tensor>& expected) const {
    using Fence = FencedMemory::Fence;
    if (std::ranges::any_of(shapes_, [](const auto& output) { return output.second.rank() != 4 || output.second[0] != 1; })) return;
    std::vector<graph::Inferred> values(graph.values.size());
    for (size_t i = 0; i < inputs_.size(); i++)
      values[static_cast<size_t>(node.inputs[i].value)] = {inputs_[i].dtype, inputs_[i].shape, nullptr};
    for (size_t i = 0; i < shapes_.size(); i++)
      values[static_cast<size_t>(node.outputs[i].value)] = {shapes_[i].first, shapes_[i].second, nullptr};
    const auto row_bytes = [](const TensorView& view) { return static_cast<size_t>(view.row_stride) * size_of(view.dtype); };
    const int64_t height = shapes_[0].second[2], grain = kernel.row_grain(), most = (height + 2 * grain) / (3 * grain) * grain;
    for (int64_t begin = 0, band = 0; begin < height; band++) {
      const RowRange rows{begin, std::min(height, begin + (band == 0 ? grain : most))};
      const Fence fence = (band + height) % 2 == 0 ? Fence::before : Fence::behind;
      std::vector<FencedMemory> memory;
      const auto fenced = [&](TensorView view, RowRange range, std::byte value) {
        const size_t row = row_bytes(view), before = static_cast<size_t>(range.begin) * row;
        memory.emplace_back(static_cast<size_t>(range.end - range.begin) * row, fence, value);
        view.data = memory.back().data() - before;
        return view;
      };
      std::vector<TensorView> inputs = inputs_, outputs;
      for (size_t i = 0; i < inputs.size(); i++) {
        if (graph.constant(node.inputs[i].value) != nullptr) continue;
        const auto reach = graph::row_reach(node, i, values);
        if (!reach) return;
        const RowRange range = reach->of(rows);
        const auto* from = static_cast<const std::byte*>(inputs[i].data) + static_cast<size_t>(range.begin) * row_bytes(inputs[i]);
        inputs[i] = fenced(inputs[i], range, std::byte{0});
        std::memcpy(memory.back().data(), from, static_cast<size_t>(range.end - range.begin) * row_bytes(inputs[i]));
      }
      const size_t first = memory.size();
      for (const Tensor& whole : expected) outputs.push_back(fenced(whole.view(), rows, std::byte{0x5a}));
      const FencedMemory scratch(align_up(kernel.scratch_bytes(inputs, outputs, 1)), fence, std::byte{0xff});
      kernel.run({pool(1), scratch.data(), rows}, inputs, outputs);
      for (size_t i = 0; i < outputs.size(); i++) {
        const size_t row = row_bytes(outputs[i]), bytes = static_cast<size_t>(rows.end - rows.begin) * row;
        const auto* whole = static_cast<const std::byte*>(expected[i].view().data) + static_cast<size_t>(rows.begin) * row;
        CHECK_MESSAGE(std::memcmp(memory[first + i].data(), whole, bytes) == 0, "rows " << rows.begin << " to " << rows.end << " differ");
      }
      begin = rows.end;
    }
  }

  void add(const std::string& parameter, const TensorView& view) {
    const auto index = static_cast<int>(std::ranges::count_if(node.inputs, [&](const graph::Port& p) { return p.parameter == parameter; }));
    node.inputs.push_back({parameter, index, static_cast<graph::ValueId>(graph.values.size() - 1)});
    inputs_.push_back(view);
  }

  std::vector<Tensor> tensors_;  // keep the memory of inputs_
  std::vector<TensorView> inputs_;
  std::vector<std::pair<DataType, Shape>> shapes_;
};

// An int8 convolution that makes an input of `op`, so that it is known to lie within +-4.
inline void add_producer(Operator& op, graph::ValueId value) {
  graph::Node node;
  node.op = "conv2d";
  node.precision = 2;
  node.alias = "fp32_out";
  node.attrs["Input0_scale"] = std::vector<float>{1.0f};
  node.attrs["Filter0_scale"] = std::vector<float>{4.0f / (128 * 127)};
  static const std::vector<int8_t> kWeight{127};
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const int8_t>(kWeight));
  op.graph.values.push_back({"w", std::make_shared<graph::Constant>(graph::Constant{DataType::i8, {1, 1, 1, 1}, nullptr, bytes})});
  node.inputs.push_back({"Filter", 0, static_cast<graph::ValueId>(op.graph.values.size() - 1)});
  node.outputs.push_back({"Output", 0, value});
  op.graph.nodes.push_back(std::move(node));
}

// |a - b| <= tolerance * max(1, |b|), for every element.
inline void check_close(const Dense<float>& actual, const Dense<float>& expected, double tolerance = 1e-5) {
  REQUIRE(actual.shape == expected.shape);
  size_t bad = 0;
  for (size_t i = 0; i < actual.data.size(); i++) {
    const double a = actual.data[i], b = expected.data[i];
    if (!(std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b))) && bad++ == 0) {
      FAIL_CHECK("element " << i << " of " << actual.shape.str() << " is " << a << ", expected " << b);
    }
  }
}
template <class T> void check_equal(const Dense<T>& actual, const Dense<T>& expected) {
  REQUIRE(actual.shape == expected.shape);
  for (size_t i = 0; i < actual.data.size(); i++) {
    if (std::memcmp(&actual.data[i], &expected.data[i], sizeof(T)) != 0) {
      FAIL_CHECK("element " << i << " of " << actual.shape.str() << " is " << +actual.data[i] << ", expected " << +expected.data[i]);
      return;
    }
  }
}

}  // namespace edgeocr::kernel_test
