// From fp32 sums to outputs: bias, the node's own activation, its tail (kernels/tail.h), with the roundings of requant.h and math.h.
//
// The usual ends (bias, then nothing, relu or hard_swish, then maybe a residual, one fp32 output) are done on registers before the
// only store. Everything else is done by the plain loops on a run of pixels that the kernel has left in its scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "kernels/generic/loops.h"
#include "kernels/kernel.h"
#include "kernels/tail.h"
#include "kernels/x86/inner_loops.h"

namespace edgeocr::kernels::x86 {

class FinishF32 {
 public:
  // bias: one per channel.
  FinishF32(std::vector<float> bias, const Activation& act, TailParameters tail);
  FinishF32(FinishF32&&) = default;  // not copied: constants() points at the bias

  // Whether form() is all there is to do, on maps whose pixels hold whole vectors.
  bool on_registers() const { return on_registers_; }
  // For kernels: where not on_registers(), sums get their bias alone.
  const FormF32& form() const { return form_; }
  const ConstantsF32& constants() const { return constants_; }
  int64_t channels() const { return channels_; }
  int64_t lanes() const { return static_cast<int64_t>(bias_.size()); }  // channels, padded to vectors of eight
  int residual() const { return tail_.residual; }                       // position among the inputs
  int residual_scale() const { return tail_.residual_scale; }

  // The residual of a run of pixels that starts at pixel `first` of outputs of this shape and stays in one row of them, unless
  // residual_scale() is 1.
  void set_residual(RowF32& row, int64_t first, const Shape& shape, std::span<const TensorView> inputs) const;

  // Scratch memory of one worker for sums of `pixels`, which begin there, and the work on them.
  size_t scratch_bytes(int64_t pixels) const { return 2 * align_up(static_cast<size_t>(pixels * lanes()) * sizeof(float)); }
  // The rest of the work on `count` <= pixels of them.
  void run_sums(std::byte* scratch, int64_t pixels, int64_t first, int64_t count, std::span<const TensorView> inputs,
                std::span<const TensorView> outputs) const {
    std::byte* other = scratch + scratch_bytes(pixels) / 2;
    run(reinterpret_cast<float*>(scratch), reinterpret_cast<float*>(other), first, count, inputs, outputs);
  }

  // The rest of the work on `count` pixels, `first` counted over N, H and W of the outputs. y: [count][lanes()], sums with bias;
  // other: as large. Both are overwritten.
  void run(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
           std::span<const TensorView> outputs) const;
  // The rest of the work on `count` pixels of maps of one channel, from pixel `first` on. y: [count], sums with bias.
  void run_single(float* y, float* other, int64_t first, int64_t count, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const;
  // The rest of the work on columns [column, column + columns) of one row of matrices [M, channels()].
  void run_columns(float* y, float* other, int64_t row, int64_t column, int64_t columns, std::span<const TensorView> inputs,
                   std::span<const TensorView> outputs) const;

 private:
  // Steps that cannot work in place swap y and other.
  void apply(UnaryOp op, const UnaryParameters& parameters, float*& y, float*& other, int64_t n) const;
  void activate_own(float*& y, float*& other, int64_t n) const;
  void activate_tail(float*& y, float*& other, int64_t n) const;

  const generic::Loops& loops_;
  int64_t channels_;
  std::vector<float> bias_;
  Activation act_;  // of the node itself
  TailParameters tail_;
  bool on_registers_ = false;
  FormF32 form_;
  ConstantsF32 constants_;
};

}  // namespace edgeocr::kernels::x86
