// From floating point sums to outputs, where registers cannot: the node's own activation and its tail (kernels/tail.h), in fp32 by the
// plain loops, on a run of pixels that the kernel has left in its scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "kernels/generic/loops.h"
#include "kernels/kernel.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::floating {

// What a set does its own way; null: what no kernel of it needs.
struct FinishSteps {
  void (*sigmoid)(const float* x, int64_t n, float* y) = nullptr;  // null: the plain loops'
  // Sums that are not fp32.
  size_t sum_bytes = sizeof(float);  // of one
  void (*widen)(const std::byte* sums, int64_t n, float* y) = nullptr;
  // Maps of fp16, from element `at` on.
  void (*add_f16)(const TensorView& map, int64_t at, int64_t n, float* y) = nullptr;
  void (*store_f16)(const float* y, int64_t n, const TensorView& map, int64_t at) = nullptr;
};

class FinishLoops {
 public:
  FinishLoops(int64_t channels, const Activation& act, TailParameters tail, const FinishSteps& steps);

  int64_t channels() const { return channels_; }
  int64_t lanes() const { return lanes_; }         // channels, padded to vectors of eight
  int residual() const { return tail_.residual; }  // position among the inputs
  int residual_scale() const { return tail_.residual_scale; }

  // The residual of a run of pixels that starts at pixel `first` of outputs of this shape and stays in one row of them, unless
  // residual_scale() is 1. Row: a set's.
  template <class Row> void set_residual(Row& row, int64_t first, const Shape& shape, std::span<const TensorView> inputs) const {
    const TensorView& residual = inputs[static_cast<size_t>(tail_.residual)];
    const int64_t height = shape[2], width = shape[3], line = first / width;
    row.residual_shift = __builtin_ctz(static_cast<unsigned>(tail_.residual_scale));
    const int64_t y = (line % height) >> row.residual_shift;
    using Value = std::remove_pointer_t<decltype(row.residual)>;
    row.residual = residual.as<Value>() + line / height * residual.batch_stride + y * residual.row_stride;
    row.residual_step = residual.pixel_stride;
    row.first = first % width;
  }

  // Scratch memory of one worker for sums of `pixels`, which begin there, and the work on them.
  size_t scratch_bytes(int64_t pixels) const;
  // The rest of the work on `count` <= pixels of them, [count][lanes()], with bias; `first` is counted over N, H and W of the outputs.
  void run_sums(std::byte* scratch, int64_t pixels, int64_t first, int64_t count, std::span<const TensorView> inputs,
                std::span<const TensorView> outputs) const;

  // The rest of the work on `count` pixels of maps of one channel, from pixel `first` on. y: [count], fp32 sums with bias; other: as
  // large. Both are overwritten.
  void run_single(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const;
  // The rest of the work on columns [column, column + columns) of one row of matrices [M, channels()].
  void run_columns(float* y, float* other, int64_t row, int64_t column, int64_t columns, std::span<const TensorView> inputs,
                   std::span<const TensorView> outputs) const;

 protected:
  // What registers can do instead of all this, to one output of this type, before the only store: nothing, relu or hard_swish, which the
  // node or its tail have, and then maybe a residual.
  std::optional<Activation> activation_on_registers(DataType dtype) const;
  bool has_residual() const { return tail_.residual >= 0; }

 private:
  // run_sums() on fp32 sums y; other: as large.
  void run(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
           std::span<const TensorView> outputs) const;
  // Steps that cannot work in place swap y and other.
  void apply(UnaryOp op, const UnaryParameters& parameters, float*& y, float*& other, int64_t n) const;
  void activate_own(float*& y, float*& other, int64_t n) const;
  void activate_tail(float*& y, float*& other, int64_t n) const;
  void add_residual(const TensorView& residual, int64_t at, int64_t n, float* y) const;
  void store(const float* y, size_t output, const TensorView& out, int64_t at, int64_t n) const;
  // The sums, if they are not fp32; the same as fp32.
  size_t sums_bytes(int64_t pixels) const;
  size_t run_bytes(int64_t pixels) const;

  const generic::Loops& loops_;
  int64_t channels_, lanes_;
  Activation act_;  // of the node itself
  TailParameters tail_;
  FinishSteps steps_;
};

// A form's activation, of a set's own enumeration.
template <class Act> Act form_act(ActKind kind) {
  return kind == ActKind::relu ? Act::relu : kind == ActKind::hard_swish ? Act::hard_swish : Act::none;
}

}  // namespace edgeocr::kernels::floating
