// Depthwise convolutions: a register tile is one vector of channels of neighbouring outputs, the channels are the inner loop. Taps in
// order (ky, kx), a multiply-add each, as the plain loop has them; taps outside of the map multiply zeros.
#include "kernels/x86/inner_isa.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

template <int P, FormF32::Act A> inline void finish(const f32x8 (&sum)[P], const DepthwiseTileF32& t, int64_t lane, const ConstantsF32& c) {
  const f32x8 bias = load<f32x8>(c.bias + lane);
#pragma clang loop unroll(full)
  for (int p = 0; p < P; p++) store(t.out + p * t.out_step + lane, activate_sum<A>(sum[p] + bias, c));
}

template <int Kernel, int Step, int P> void run(const DepthwiseTileF32& t, const FormF32& form, const ConstantsF32& c) {
  const float* w = t.weights;
  for (int64_t lane = 0; lane < t.lanes; lane += kLanes, w += Kernel * Kernel * kLanes) {
    f32x8 sum[P] = {};
#pragma clang loop unroll(full)
    for (int ky = 0; ky < Kernel; ky++) {
      const float* row = t.rows[ky] + lane;
#pragma clang loop unroll(full)
      for (int kx = 0; kx < Kernel; kx++) {
        const f32x8 weight = load<f32x8>(w + (ky * Kernel + kx) * kLanes);
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++) sum[p] = multiply_add(sum[p], weight, load<f32x8>(row + (p * Step + kx) * t.pixel_step));
      }
    }
    using Act = FormF32::Act;
    switch (form.act) {
      case Act::none: finish<P, Act::none>(sum, t, lane, c); break;
      case Act::relu: finish<P, Act::relu>(sum, t, lane, c); break;
      case Act::hard_swish: finish<P, Act::hard_swish>(sum, t, lane, c); break;
    }
  }
}

template <int Kernel, int Step> DepthwiseFunctionF32 pick(bool many) {
  return many ? run<Kernel, Step, kDepthwiseMany> : run<Kernel, Step, 1>;
}

}  // namespace

DepthwiseFunctionF32 depthwise_f32(int64_t kernel, int64_t step, bool many) {
  if (kernel == 3) return step == 1 ? pick<3, 1>(many) : pick<3, 2>(many);
  return step == 1 ? pick<5, 1>(many) : pick<5, 2>(many);
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86
