// From fp32 sums to outputs: bias, the node's own activation, its tail (kernels/tail.h), with the roundings of requant.h and math.h.
//
// The usual ends (bias, then nothing, relu or hard_swish, then maybe a residual, one fp32 output) are done on registers before the
// only store. Everything else is left to floating/finish_loops.h.
#pragma once

#include <vector>

#include "kernels/floating/finish_loops.h"
#include "kernels/x86/inner_loops.h"

namespace edgeocr::kernels::x86 {

class FinishF32 : public floating::FinishLoops {
 public:
  // bias: one per channel.
  FinishF32(std::vector<float> bias, const Activation& act, TailParameters tail);
  FinishF32(FinishF32&&) = default;  // not copied: constants() points at the bias

  // Whether form() is all there is to do, on maps whose pixels hold whole vectors.
  bool on_registers() const { return on_registers_; }
  // For kernels: where not on_registers(), sums get their bias alone.
  const FormF32& form() const { return form_; }
  FormF32 bias_alone() const { return {}; }
  const ConstantsF32& constants() const { return constants_; }

 private:
  std::vector<float> bias_;
  bool on_registers_ = false;
  FormF32 form_;
  ConstantsF32 constants_;
};

}  // namespace edgeocr::kernels::x86
