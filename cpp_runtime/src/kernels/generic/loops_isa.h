// What loops_table.cpp collects of the other loops_*.cpp of its level; see loops.h for each function.
#pragma once

#include "kernels/generic/loops.h"

namespace edgeocr::kernels::generic {
inline namespace EDGEOCR_ISA {

void gemm_f32(const float* a, ptrdiff_t lda, int64_t pixels, const float* w, int64_t k, int64_t n, float* out, ptrdiff_t ldo);
void gemm_i8(const void* a, ptrdiff_t lda, int64_t pixels, const void* w, int64_t k, int64_t n, int32_t* out, ptrdiff_t ldo);
int group_i8();

void depthwise_f32(const DepthwiseRow<float>& row, const float* w, float* out);
void depthwise_i8(const DepthwiseRow<int8_t>& row, const int16_t* w, int32_t* out);

void finish_f32(const float* acc, const float* bias, const Activation& act, int64_t n, float* out);
void requantise_f32(const int32_t* acc, const float* scale, const float* bias, const Activation& act, int64_t n, float* out);
void requantise_i8(const int32_t* acc, const float* scale, const float* bias, const Activation& act, int64_t n, int8_t* out);
void widen(const int8_t* in, int64_t n, int16_t* out);
void quantise_all(const float* in, float inverse_scale, int64_t n, int8_t* out);
void dequantise_all(const int8_t* in, float scale, int64_t n, float* out);

void unary(UnaryOp op, const UnaryParameters& parameters, const float* in, int64_t n, float* out);
void binary(BinaryOp op, const Activation& act, const float* x, ptrdiff_t x_step, const float* y, ptrdiff_t y_step, int64_t n, float* out);
void affine(const float* in, float before, float scale, float after, const Activation& act, int64_t n, float* out);
void affine_channels(const float* in, const float* scale, const float* bias, int64_t n, float* out);
void accumulate(const float* in, int64_t n, float* acc);
void maximum(const float* in, int64_t n, float* acc);
void multiply(float factor, int64_t n, float* data);
void softmax(const float* in, int64_t n, float* out);
void lstm_cell(const float* gates, int64_t hidden, float* cell, float* h);

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::generic
