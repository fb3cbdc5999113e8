// Depthwise convolutions: a register tile is one vector of channels of neighbouring outputs, the channels are the inner loop. Taps in
// order (ky, kx), a multiply-add each, as the plain loop has them; taps outside of the map multiply zeros.
#include "kernels/x86/inner_isa.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

template <FormF32::Act A, int P, class V>
inline void finish(const V (&sum)[P], const DepthwiseTileF32& t, int64_t lane, const ConstantsF32& c) {
  const V bias = load<V>(c.bias + lane);
#pragma clang loop unroll(full)
  for (int p = 0; p < P; p++) store(t.out + p * t.out_step + lane, activate_sum<A>(sum[p] + bias, c));
}

// Vectors of channels from `lane` on, as many as there are whole ones; returns where they end.
template <class V, int Kernel, int Step, int P>
inline int64_t run_vectors(const DepthwiseTileF32& t, int64_t lane, const FormF32& form, const ConstantsF32& c) {
  constexpr int64_t kStep = sizeof(V) / sizeof(float);
  for (; lane + kStep <= t.lanes; lane += kStep) {
    const float* w = t.weights + lane;
    V sum[P] = {};
#pragma clang loop unroll(full)
    for (int ky = 0; ky < Kernel; ky++) {
      const float* row = t.rows[ky] + lane;
#pragma clang loop unroll(full)
      for (int kx = 0; kx < Kernel; kx++, w += t.lanes) {
        const V weight = load<V>(w);
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++) sum[p] = multiply_add(sum[p], weight, load<V>(row + (p * Step + kx) * t.pixel_step));
      }
    }
    using Act = FormF32::Act;
    switch (form.act) {
      case Act::none: finish<Act::none>(sum, t, lane, c); break;
      case Act::relu: finish<Act::relu>(sum, t, lane, c); break;
      case Act::hard_swish: finish<Act::hard_swish>(sum, t, lane, c); break;
    }
  }
  return lane;
}

template <int Kernel, int Step, int P> void run(const DepthwiseTileF32& t, const FormF32& form, const ConstantsF32& c) {
  const int64_t lane = run_vectors<f32xw, Kernel, Step, P>(t, 0, form, c);
  if constexpr (kWideLanes > kLanes) run_vectors<f32x8, Kernel, Step, P>(t, lane, form, c);
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
