// What the inner_*.cpp of one level share: vectors of fp32 values, the end of a sum, and what inner_table.cpp collects.
#pragma once

#include "kernels/generic/simd.h"
#include "kernels/x86/inner_loops.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

using generic::f32x8;
using generic::load;
using generic::multiply_add;
using generic::store;

constexpr int64_t kLanes = 8;

// The level's widest vector, where channels fill it: pixels are padded to kLanes alone.
#if defined(__AVX512F__)
typedef float f32xw __attribute__((ext_vector_type(16)));
inline f32xw multiply_add(f32xw acc, f32xw a, f32xw b) { return __builtin_elementwise_fma(a, b, acc); }
#else
using f32xw = f32x8;
#endif
constexpr int64_t kWideLanes = sizeof(f32xw) / sizeof(float);

// The first operand where it is greater, else the second, which so replaces NaN: requant.h's comparisons.
template <class V> inline V maximum(V a, V b) { return a > b ? a : b; }
template <class V> inline V minimum(V a, V b) { return a < b ? a : b; }

// A vector of channels of one pixel.
template <FormF32::Act A, class V> inline V activate_sum(V v, const ConstantsF32& c) {
  const V zero = 0.0f;
  if constexpr (A == FormF32::Act::relu) v = maximum(v, zero);
  if constexpr (A == FormF32::Act::hard_swish) v = v * (minimum(maximum(v + c.offset, zero), V(c.threshold)) * c.inverse_scale);
  return v;
}

GemmFunctionF32 gemm_f32(int64_t columns);
DepthwiseFunctionF32 depthwise_f32(int64_t kernel, int64_t step, bool many);
void winograd_input_f32(const WinogradInputF32& tile);
void winograd_output_f32(const WinogradOutputF32& tile, const FormF32& form, const ConstantsF32& constants);
void subtract_f32(const float* a, const float* b, int64_t n, float* out);
void expand_f32(const floating::ExpandedRow<float>& row);
void spread_f32(const float* expanded, int64_t width, int64_t factor, int64_t lanes, bool add, float* sums);

constexpr int64_t kDepthwiseMany = 8;
// Vectors of a single pixel's sums, enough of them that no product waits for the one before.
#if defined(__AVX512F__)
constexpr int kGemmSingleVectors = 12;
#else
constexpr int kGemmSingleVectors = 8;
#endif

#if defined(__AVX512VNNI__)
int8::GemmFunction gemm_i8(int64_t columns, int64_t segments, int64_t k, const int8::Form& form);
void transpose_quads(const int8_t* const (&rows)[4], ptrdiff_t step, int64_t columns, int8_t* out, bool twice, ptrdiff_t next);
int8::DepthwiseFunction depthwise_i8(int64_t kernel, int64_t stride, int64_t quads, const int8::Form& form);
void sum_products(const int8::ProductRows& rows, int64_t pixels, int64_t lanes, int64_t places, const int8::Places& coarser, int32_t* out);
void spread_places(const int8::Places& places, int64_t width, int64_t lanes, int32_t* out);
void quantise_f32(const float* in, float inverse_scale, int64_t n, int8_t* out);
float largest_magnitude_f32(const float* values, int64_t n);

constexpr int8_t kTransposedZero = INT8_MIN;
constexpr int64_t kDepthwiseColumns = 8;
#endif

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86
