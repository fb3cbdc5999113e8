// Eight lanes as the compiler's own vector types: one AVX register, two of SSE or NEON. For loops_*.cpp only.
//
// Nothing of the standard library is used in those files: an inline function of it, compiled for AVX2, could be the copy
// that the linker keeps for everybody.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/requant.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace edgeocr::kernels::generic {
inline namespace EDGEOCR_ISA {

typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef int32_t i32x8 __attribute__((ext_vector_type(8)));
typedef int16_t i16x8 __attribute__((ext_vector_type(8)));
typedef int8_t i8x8 __attribute__((ext_vector_type(8)));

template <class V> inline V load(const void* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V> inline void store(void* p, V v) { __builtin_memcpy(p, &v, sizeof v); }

// acc + a * b, fused where the level has the instruction.
inline f32x8 multiply_add(f32x8 acc, f32x8 a, f32x8 b) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, acc);
#else
  return acc + a * b;
#endif
}
inline float multiply_add(float acc, float a, float b) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_fmaf(a, b, acc);
#else
  return acc + a * b;
#endif
}

// Dot products of eight packed columns with one pixel, kGroup values of k at a time: the shape that the level's integer
// multiply-add instruction wants.
#if defined(__ARM_FEATURE_DOTPROD)
constexpr int kGroup = 4;
using GemmInt = int8_t;
inline i32x8 dot(i32x8 acc, const int8_t* w, const int8_t* x) {
  const int8x16_t xv = vreinterpretq_s8_s32(vdupq_n_s32(load<int32_t>(x)));
  const int32x4_t low = vdotq_s32(__builtin_shufflevector(acc, acc, 0, 1, 2, 3), vld1q_s8(w), xv);
  const int32x4_t high = vdotq_s32(__builtin_shufflevector(acc, acc, 4, 5, 6, 7), vld1q_s8(w + 16), xv);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}
#elif defined(__AVX2__)
constexpr int kGroup = 2;
using GemmInt = int16_t;
inline i32x8 dot(i32x8 acc, const int16_t* w, const int16_t* x) {
  const __m256i products = _mm256_madd_epi16(load<__m256i>(w), _mm256_set1_epi32(load<int32_t>(x)));
  return acc + __builtin_bit_cast(i32x8, products);
}
#elif defined(__x86_64__)
constexpr int kGroup = 2;
using GemmInt = int16_t;
inline i32x8 dot(i32x8 acc, const int16_t* w, const int16_t* x) {
  struct Halves {
    __m128i low, high;
  } products;
  const __m128i xv = _mm_set1_epi32(load<int32_t>(x));
  products.low = _mm_madd_epi16(load<__m128i>(w), xv);
  products.high = _mm_madd_epi16(load<__m128i>(w + 8), xv);
  return acc + __builtin_bit_cast(i32x8, products);
}
#else
constexpr int kGroup = 1;
using GemmInt = int16_t;
inline i32x8 dot(i32x8 acc, const int16_t* w, const int16_t* x) {
  return acc + __builtin_convertvector(load<i16x8>(w), i32x8) * static_cast<int32_t>(*x);
}
#endif

// Pixels of one register tile: with two vectors of eight columns, what the level's registers hold.
#if defined(__AVX2__) || defined(__aarch64__)
constexpr int kTile = 6;
#else
constexpr int kTile = 2;
#endif

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::generic
