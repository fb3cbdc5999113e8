#include "kernels/neon/convert.h"

#include "kernels/generic/views.h"

namespace edgeocr::kernels::neon {

void widen(const Half* in, int64_t n, float* out) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) store_wide(out + i, vld1q_f16(in + i));
  for (; i < n; i++) out[i] = static_cast<float>(in[i]);
}

void narrow(const float* in, int64_t n, Half* out) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) vst1q_f16(out + i, narrowed(vld1q_f32(in + i), vld1q_f32(in + i + 4)));
  for (; i < n; i++) out[i] = static_cast<Half>(in[i]);
}

void convert(const RunContext& context, const TensorView& in, const TensorView& out) {
  generic::for_each_run(context, in, [&](int64_t at, int64_t n) {
    if (in.dtype == DataType::f32) narrow(in.as<const float>() + at, n, out.as<Half>() + at);
    else widen(in.as<const Half>() + at, n, out.as<float>() + at);
  });
}

}  // namespace edgeocr::kernels::neon
