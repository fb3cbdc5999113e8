// The one owner of int8 arithmetic and of the activations that a convolution or fc can carry: how scales are folded, the
// fused multiply-add, the rounding, the clamp. Every kernel set and every test refers to these functions; a kernel that
// computes the same another way (vector registers, magic numbers) must give the same bits.
//
// Source: NB_FORMAT §5, measured against Paddle-Lite 2.13-rc tie by tie. All in fp32:
//   real = q * scale, q in [-127, 127]; fs = Filter0_scale[o], si = Input0_scale, so = Output0_scale, r = 1 / so.
//   fp32 out:             act(fma(acc, fs * si, bias))
//   int8 out, GEMM:       q8(act(fma(acc, fs * (si / so), bias / so)))
//   int8 out, depthwise:  q8(act(fma(acc, fs * (si * r),  bias * r)))
// q8 rounds half away from zero and clamps to +-127. acc is the exact int32 sum, converted to fp32 (round to nearest even).
//
// The functions live in an inline namespace per instruction set level, because loops are compiled several times with
// different flags: a function of the same name compiled for AVX2 must not be the one that a baseline file calls.
#pragma once

#include <cstdint>

#ifndef EDGEOCR_ISA
#define EDGEOCR_ISA baseline
#endif

namespace edgeocr::kernels {

enum class ActKind : uint8_t { none, relu, relu6, leaky_relu, hard_swish };

// Only what `kind` needs is meaningful.
struct Activation {
  ActKind kind = ActKind::none;
  float threshold = 0;      // relu6, hard_swish: upper bound of the clip
  float offset = 0;         // hard_swish
  float inverse_scale = 0;  // hard_swish: 1 / scale
  float alpha = 0;          // leaky_relu: slope below zero
};

// What turns an int32 sum of one output channel into the value before the activation.
struct ChannelScale {
  float scale = 0, bias = 0;
};

// Which order of the folding a convolution takes when its output is int8.
enum class RequantRule : uint8_t { gemm, depthwise };

inline namespace EDGEOCR_ISA {

// Exact in one rounding on every machine (where there is no such instruction, the C library computes it).
inline float fused_multiply_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

inline ChannelScale fold_fp32_out(float filter_scale, float input_scale, float bias) { return {filter_scale * input_scale, bias}; }

inline ChannelScale fold_int8_out(RequantRule rule, float filter_scale, float input_scale, float output_scale, float bias) {
  if (rule == RequantRule::gemm) return {filter_scale * (input_scale / output_scale), bias / output_scale};
  const float inverse = 1.0f / output_scale;
  return {filter_scale * (input_scale * inverse), bias * inverse};
}

// Depthwise rule: the kernels that Paddle-Lite has for groups = Cin = Cout, 3x3 or 5x5, equal strides, equal pads, no dilation.
// Everything else, a depthwise convolution of stride (2, 1) too, is a GEMM to it.
struct ConvGeometry {
  int64_t groups, in_channels, out_channels, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int64_t pad_top, pad_bottom, pad_left, pad_right;
};
inline RequantRule requant_rule(const ConvGeometry& g) {
  const bool depthwise = g.groups == g.in_channels && g.in_channels == g.out_channels;
  const bool kernel = g.kernel_h == g.kernel_w && (g.kernel_h == 3 || g.kernel_h == 5);
  const bool even = g.stride_h == g.stride_w && g.pad_top == g.pad_bottom && g.pad_left == g.pad_right && g.pad_top == g.pad_left;
  return depthwise && kernel && even && g.dilation_h == 1 && g.dilation_w == 1 ? RequantRule::depthwise : RequantRule::gemm;
}

// An activation on values in units of the output scale: bounds and offset are divided by it.
inline Activation in_units_of(const Activation& act, float output_scale) {
  Activation scaled = act;
  scaled.threshold = act.threshold / output_scale;
  scaled.offset = act.offset / output_scale;
  scaled.inverse_scale = act.inverse_scale * output_scale;
  return scaled;
}

inline float clip(float v, float low, float high) {
  v = v > low ? v : low;
  return v < high ? v : high;
}

// 2.13-rc's order of the two products (2.10 has the other).
inline float hard_swish(float v, float offset, float threshold, float inverse_scale) {
  return v * (clip(v + offset, 0.0f, threshold) * inverse_scale);
}

// `kind` is act.kind, passed apart so that a loop can fix it at compile time.
inline float activate(float v, ActKind kind, const Activation& act) {
  switch (kind) {
    case ActKind::none: return v;
    case ActKind::relu: return v > 0.0f ? v : 0.0f;
    case ActKind::relu6: return clip(v, 0.0f, act.threshold);
    case ActKind::leaky_relu: return v > 0.0f ? v : v * act.alpha;
    case ActKind::hard_swish: return hard_swish(v, act.offset, act.threshold, act.inverse_scale);
  }
  return v;
}

// Half away from zero, clamped to +-127; NaN gives -127. Clamping first changes nothing (127 is an integer) and makes the
// conversion defined; the fraction is exact, so no tie is decided by a rounded v + 0.5.
inline int8_t round_to_int8(float v) {
  v = clip(v, -127.0f, 127.0f);
  const int32_t whole = static_cast<int32_t>(v);
  const float fraction = v - static_cast<float>(whole);
  return static_cast<int8_t>(whole + (fraction >= 0.5f ? 1 : 0) - (fraction <= -0.5f ? 1 : 0));
}

// One output channel: the value before rounding.
inline float requantise(int32_t acc, ChannelScale s) { return fused_multiply_add(static_cast<float>(acc), s.scale, s.bias); }

// calib fp32_to_int8; `inverse_scale` is 1.0f / scale.
inline int8_t quantise(float v, float inverse_scale) { return round_to_int8(v * inverse_scale); }
// calib int8_to_fp32.
inline float dequantise(int8_t q, float scale) { return static_cast<float>(q) * scale; }

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels
