// The inner loops of the plain kernels: functions over raw pointers, collected in one struct per instruction set level.
//
// loops_*.cpp are compiled once per level (kernels.cmake) with EDGEOCR_ISA naming it, and one level is chosen when the process
// starts, by what the processor reports. All levels give the same bits for int8; for fp32 every output is one sum with k in
// order, so the vector width does not matter, and levels differ only in whether multiply-add is fused (x86 baseline: not).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/requant.h"
#include "kernels/unary.h"

namespace edgeocr::kernels::generic {

// Weights of a matrix product [K, N] are packed in blocks of columns: 16 wide, a last one 8 wide where at most 8 are left;
// inside a block [K / group][width][group], zeros beyond K and N. fp32: group 1.
constexpr int64_t kBlock = 16, kHalfBlock = 8;
constexpr int64_t padded_columns(int64_t n) { return (n + kHalfBlock - 1) / kHalfBlock * kHalfBlock; }

enum class BinaryOp : uint8_t { add, sub, mul, div };

// One output row of a depthwise convolution.
template <class T> struct DepthwiseRow {
  const T* in;  // pixel (0, 0) of the map
  int64_t in_h, in_w;
  int64_t kernel_h, kernel_w, dilation_h, dilation_w, stride_w;
  int64_t top, left;  // input coordinates of tap (0, 0) of the row's first pixel; negative inside the padding
  int64_t channels;   // as stored: pixel_stride_of(C)
  int64_t out_w;
};

struct Loops {
  const char* isa;

  // out[p * ldo + n] = sum over k of a[p * lda + k] * w[k, n], for padded_columns(n) columns; nothing beyond.
  void (*gemm_f32)(const float* a, ptrdiff_t lda, int64_t pixels, const float* w, int64_t k, int64_t n, float* out, ptrdiff_t ldo);
  // The same for int8. k is a multiple of group_i8. `a` is int8 where group_i8 is 4, int16 (widened) otherwise; w alike.
  void (*gemm_i8)(const void* a, ptrdiff_t lda, int64_t pixels, const void* w, int64_t k, int64_t n, int32_t* out, ptrdiff_t ldo);
  int group_i8;

  // Sums of one row, out[x * channels + c]; w is [kernel_h * kernel_w][channels] (int8: widened to int16).
  void (*depthwise_f32)(const DepthwiseRow<float>& row, const float* w, float* out);
  void (*depthwise_i8)(const DepthwiseRow<int8_t>& row, const int16_t* w, int32_t* out);

  // From sums to outputs, n channels of one pixel.
  void (*finish_f32)(const float* acc, const float* bias, const Activation& act, int64_t n, float* out);
  void (*requantise_f32)(const int32_t* acc, const float* scale, const float* bias, const Activation& act, int64_t n, float* out);
  void (*requantise_i8)(const int32_t* acc, const float* scale, const float* bias, const Activation& act, int64_t n, int8_t* out);

  void (*widen)(const int8_t* in, int64_t n, int16_t* out);
  void (*quantise)(const float* in, float inverse_scale, int64_t n, int8_t* out);
  void (*dequantise)(const int8_t* in, float scale, int64_t n, float* out);

  void (*unary)(UnaryOp op, const UnaryParameters& parameters, const float* in, int64_t n, float* out);
  // Steps of x and y are 0 (one value for all) or any stride. With an activation (none, relu, …).
  void (*binary)(BinaryOp op, const Activation& act, const float* x, ptrdiff_t x_step, const float* y, ptrdiff_t y_step, int64_t n,
                 float* out);
  // act((x + before) * scale + after)
  void (*affine)(const float* in, float before, float scale, float after, const Activation& act, int64_t n, float* out);
  // in * scale + bias per channel
  void (*affine_channels)(const float* in, const float* scale, const float* bias, int64_t n, float* out);

  // acc[i] += in[i]; acc[i] = max(acc[i], in[i]); data[i] *= factor
  void (*accumulate)(const float* in, int64_t n, float* acc);
  void (*maximum)(const float* in, int64_t n, float* acc);
  void (*multiply)(float factor, int64_t n, float* data);

  // Softmax of n contiguous values, in != out.
  void (*softmax)(const float* in, int64_t n, float* out);
  // One LSTM step for one sequence: gates [4 * hidden] in the order i, f, c, o before their non-linearities; cell in and out; h out.
  void (*lstm_cell)(const float* gates, int64_t hidden, float* cell, float* h);
};

// Levels that this processor can run, best first; never empty.
std::span<const Loops* const> usable_loops();
// What kernels made from now on use: the best level, unless a test chose another.
const Loops& current_loops();
void use_loops(const Loops& loops);

}  // namespace edgeocr::kernels::generic
