#include "kernels/generic/fused_tail.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/views.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::generic {

namespace {

// The node without its tail: one output, its own fp32 result. Inputs keep their positions.
graph::Node without_tail(const graph::Node& node) {
  graph::Node plain = node;
  plain.tail = nullptr;
  plain.outputs.resize(1);
  return plain;
}

class FusedTailKernel : public Kernel {
 public:
  FusedTailKernel(std::unique_ptr<Kernel> kernel, TailParameters tail)
      : loops_(current_loops()), kernel_(std::move(kernel)), tail_(std::move(tail)), name_(std::string(kernel_->name()) + ".tail") {
    // Zeros for the padding lanes of a map.
    if (!tail_.addend.empty()) tail_.addend.resize(static_cast<size_t>(pixel_stride_of(static_cast<int64_t>(tail_.addend.size()))), 0.0f);
  }

  std::string_view name() const override { return name_; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    const TensorView result = result_view(outputs, nullptr);
    return result_bytes(result) + std::max(kernel_->scratch_bytes(inputs, {&result, 1}, threads), rows_bytes(result, threads));
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    check_outputs(outputs);
    const TensorView result = result_view(outputs, context.scratch);
    const RunContext rest{context.pool, context.scratch + result_bytes(result)};
    kernel_->run(rest, inputs, {&result, 1});
    const Rows rows = rows_of(result);
    parallel(context, rows.count, 1, [&](int64_t begin, int64_t end, int worker) {
      auto* buffers = reinterpret_cast<float*>(rest.scratch + static_cast<size_t>(worker) * rows_bytes(result, 1));
      for (int64_t row = begin; row < end; row++) finish_row(result, rows, row, buffers, inputs, outputs);
    });
    for (const TensorView& output : outputs) clear_padding(output);
  }

 private:
  // The innermost contiguous elements: a row of a map with its padding lanes, else the last dimension.
  struct Rows {
    int64_t count, length;
    int64_t pixels, pixel_stride;  // length = pixels * pixel_stride; of a matrix: one pixel
  };
  static Rows rows_of(const TensorView& view) {
    if (view.is_map()) return {view.shape[0] * view.shape[2], view.shape[3] * view.pixel_stride, view.shape[3], view.pixel_stride};
    const int rank = view.shape.rank();
    const int64_t length = rank == 0 ? 1 : view.shape[rank - 1];
    return {length == 0 ? 0 : view.shape.count() / length, length, 1, length};
  }
  static size_t row_bytes(const Rows& rows) { return align_up(static_cast<size_t>(rows.length) * sizeof(float)); }
  // Two buffers per worker: a step reads one and writes the other.
  static size_t rows_bytes(const TensorView& result, int threads) { return static_cast<size_t>(threads) * 2 * row_bytes(rows_of(result)); }

  static TensorView result_view(std::span<const TensorView> outputs, std::byte* scratch) {
    return dense_view(DataType::f32, outputs[0].shape, scratch);
  }
  static size_t result_bytes(const TensorView& result) { return align_up(dense_bytes(result.dtype, result.shape)); }

  void check_outputs(std::span<const TensorView> outputs) const {
    if (outputs.size() != tail_.outputs.size())
      fail("%s: %zu outputs given, expected %zu", name_.c_str(), outputs.size(), tail_.outputs.size());
    for (size_t i = 0; i < outputs.size(); i++) {
      expect_dtype(name_, "output", outputs[i], tail_.outputs[i].dtype);
      if (!(outputs[i].shape == outputs[0].shape))
        fail("%s: outputs are %s and %s, expected equal shapes", name_.c_str(), outputs[0].shape.str().c_str(),
             outputs[i].shape.str().c_str());
    }
  }

  void finish_row(const TensorView& result, const Rows& rows, int64_t row, float* buffers, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const {
    const float* y = result.as<const float>() + row * rows.length;
    float *next = buffers, *other = buffers + row_bytes(rows) / sizeof(float);
    const auto step = [&](const auto& compute) {
      compute(next);
      y = next;
      std::swap(next, other);
    };
    if (!tail_.addend.empty()) step([&](float* to) { add_constant(rows, y, to); });
    if (tail_.activation) step([&](float* to) { loops_.unary(tail_.activation->op, tail_.activation->parameters, y, rows.length, to); });
    if (tail_.residual >= 0)
      step([&](float* to) { add_residual(rows, row, inputs[static_cast<size_t>(tail_.residual)], result.shape, y, to); });
    for (size_t i = 0; i < outputs.size(); i++) store_row(tail_.outputs[i], rows, row, y, outputs[i]);
  }

  void add_constant(const Rows& rows, const float* y, float* to) const {
    for (int64_t x = 0; x < rows.pixels; x++) {
      const int64_t at = x * rows.pixel_stride;
      loops_.binary(BinaryOp::add, {}, y + at, 1, tail_.addend.data(), 1, rows.pixel_stride, to + at);
    }
  }

  void add_residual(const Rows& rows, int64_t row, const TensorView& residual, const Shape& shape, const float* y, float* to) const {
    const float* r = residual.as<const float>();
    const int64_t scale = tail_.residual_scale;
    if (scale == 1) return loops_.binary(BinaryOp::add, {}, y, 1, r + row * rows.length, 1, rows.length, to);
    const int64_t height = shape[2];
    r += row / height * residual.batch_stride + row % height / scale * residual.row_stride;
    for (int64_t x = 0; x < rows.pixels; x++) {
      const int64_t at = x * rows.pixel_stride;
      loops_.binary(BinaryOp::add, {}, y + at, 1, r + x / scale * rows.pixel_stride, 1, rows.pixel_stride, to + at);
    }
  }

  void store_row(const TailParameters::Output& how, const Rows& rows, int64_t row, const float* y, const TensorView& output) const {
    const int64_t at = row * rows.length;
    if (how.int8()) loops_.quantise(y, how.inverse_scale, rows.length, output.as<int8_t>() + at);
    else std::memcpy(output.as<float>() + at, y, static_cast<size_t>(rows.length) * sizeof(float));
  }

  const Loops& loops_;
  std::unique_ptr<Kernel> kernel_;
  TailParameters tail_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Kernel> create_fused_tail(const graph::Node& node, const graph::Graph& graph, Factory* factory) {
  return std::make_unique<FusedTailKernel>(factory(without_tail(node), graph), parse_tail(node, graph));
}

bool has_no_tail(const graph::Node& node, const graph::Graph&) { return node.tail == nullptr; }

}  // namespace edgeocr::kernels::generic
