#include "kernels/neon/finish.h"

#include <utility>

#include "kernels/neon/convert.h"
#include "kernels/neon/fast_sigmoid.h"

namespace edgeocr::kernels::neon {

namespace {

void add_f16(const TensorView& map, int64_t at, int64_t n, float* y) {
  const Half* values = map.as<const Half>() + at;
  for (int64_t i = 0; i < n; i++) y[i] += static_cast<float>(values[i]);
}

template <class T> floating::FinishSteps steps_of(bool plain) {
  floating::FinishSteps steps{.sum_bytes = sizeof(T), .add_f16 = add_f16};
  steps.store_f16 = [](const float* y, int64_t n, const TensorView& map, int64_t at) { narrow(y, n, map.as<Half>() + at); };
  if (!plain) steps.sigmoid = fast_sigmoid;
  if (!std::is_same_v<T, float>)
    steps.widen = [](const std::byte* sums, int64_t n, float* y) { widen(reinterpret_cast<const T*>(sums), n, y); };
  return steps;
}

}  // namespace

template <class T>
Finish<T>::Finish(const std::vector<float>& bias, const Activation& act, TailParameters tail, bool plain, bool long_sums)
    : FinishLoops(static_cast<int64_t>(bias.size()), act, std::move(tail), steps_of<T>(plain)), bias_(bias.begin(), bias.end()) {
  bias_.resize(static_cast<size_t>(lanes()), static_cast<T>(0.0f));
  constants_.bias = bias_.data();
  form_.plain = plain;
  form_.long_sums = long_sums;
  const std::optional<Activation> single = activation_on_registers(kDataType<T>);
  on_registers_ = single.has_value() && (!has_residual() || single->kind == ActKind::none);
  if (!on_registers_) return;
  form_.act = floating::form_act<FloatForm::Act>(single->kind);
  form_.residual = has_residual();
  const float scale = plain ? 1.0f : single->inverse_scale;
  constants_.offset = single->offset * scale;
  constants_.threshold = single->threshold * scale;
  constants_.slope = single->inverse_scale;
  offsets_.assign(Constants<T>::kOffsets * Vec<T>::kLanes, static_cast<T>(constants_.offset));
  constants_.offsets = offsets_.data();
}

template class Finish<float>;
template class Finish<Half>;

}  // namespace edgeocr::kernels::neon
