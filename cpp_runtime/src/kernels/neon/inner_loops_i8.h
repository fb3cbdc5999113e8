// The inner loops of the int8 kernels by NEON, which int8_set.cpp collects.
#pragma once

#include "kernels/int8/inner_loops.h"

namespace edgeocr::kernels::neon {

int8::GemmFunction gemm_i8(int64_t columns, int64_t segments, int64_t k, const int8::Form& form);

void transpose_quads(const int8_t* const (&rows)[4], ptrdiff_t step, int64_t columns, int8_t* out, bool twice, ptrdiff_t next);
int8::DepthwiseFunction depthwise_i8(int64_t kernel, int64_t stride, int64_t quads, const int8::Form& form);
inline constexpr int kDepthwiseColumns = 4;

void sum_products(const int8::ProductRows& rows, int64_t pixels, int64_t lanes, int64_t places, const int8::Places& coarser, int32_t* out);
void spread_places(const int8::Places& places, int64_t width, int64_t lanes, int32_t* out);

}  // namespace edgeocr::kernels::neon
