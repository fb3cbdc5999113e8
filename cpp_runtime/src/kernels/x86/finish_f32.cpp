#include "kernels/x86/finish_f32.h"

#include <utility>

namespace edgeocr::kernels::x86 {

FinishF32::FinishF32(std::vector<float> bias, const Activation& act, TailParameters tail)
    : FinishLoops(static_cast<int64_t>(bias.size()), act, std::move(tail), {}), bias_(std::move(bias)) {
  bias_.resize(static_cast<size_t>(lanes()), 0.0f);
  constants_.bias = bias_.data();
  const std::optional<Activation> single = activation_on_registers(DataType::f32);
  on_registers_ = single.has_value();
  if (!on_registers_) return;
  form_ = {floating::form_act<FormF32::Act>(single->kind), has_residual()};
  constants_.offset = single->offset;
  constants_.threshold = single->threshold;
  constants_.inverse_scale = single->inverse_scale;
}

}  // namespace edgeocr::kernels::x86
