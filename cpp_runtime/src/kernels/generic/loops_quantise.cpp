// Epilogues of convolutions and fc, and calib: requant.h over arrays.
#include "kernels/generic/loops_isa.h"

namespace edgeocr::kernels::generic {
inline namespace EDGEOCR_ISA {

namespace {

// Calls body with the activation's kind as a compile-time constant, so that the loop inside has no branch.
template <ActKind K> struct Fixed {
  static constexpr ActKind kind = K;
};
template <class Body> inline void with_kind(ActKind kind, const Body& body) {
  switch (kind) {
    case ActKind::none: return body(Fixed<ActKind::none>());
    case ActKind::relu: return body(Fixed<ActKind::relu>());
    case ActKind::relu6: return body(Fixed<ActKind::relu6>());
    case ActKind::leaky_relu: return body(Fixed<ActKind::leaky_relu>());
    case ActKind::hard_swish: return body(Fixed<ActKind::hard_swish>());
  }
}

}  // namespace

void finish_f32(const float* __restrict acc, const float* __restrict bias, const Activation& act, int64_t n, float* __restrict out) {
  const Activation a = act;
  with_kind(a.kind, [&](auto fixed) {
    for (int64_t i = 0; i < n; i++) out[i] = activate(acc[i] + bias[i], fixed.kind, a);
  });
}

void requantise_f32(const int32_t* __restrict acc, const float* __restrict scale, const float* __restrict bias, const Activation& act,
                    int64_t n, float* __restrict out) {
  const Activation a = act;
  with_kind(a.kind, [&](auto fixed) {
    for (int64_t i = 0; i < n; i++) out[i] = activate(requantise(acc[i], {scale[i], bias[i]}), fixed.kind, a);
  });
}

void requantise_i8(const int32_t* __restrict acc, const float* __restrict scale, const float* __restrict bias, const Activation& act,
                   int64_t n, int8_t* __restrict out) {
  const Activation a = act;
  with_kind(a.kind, [&](auto fixed) {
    for (int64_t i = 0; i < n; i++) out[i] = round_to_int8(activate(requantise(acc[i], {scale[i], bias[i]}), fixed.kind, a));
  });
}

void widen(const int8_t* __restrict in, int64_t n, int16_t* __restrict out) {
  for (int64_t i = 0; i < n; i++) out[i] = in[i];
}

void quantise_all(const float* __restrict in, float inverse_scale, int64_t n, int8_t* __restrict out) {
  for (int64_t i = 0; i < n; i++) out[i] = quantise(in[i], inverse_scale);
}

void dequantise_all(const int8_t* __restrict in, float scale, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; i++) out[i] = dequantise(in[i], scale);
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::generic
