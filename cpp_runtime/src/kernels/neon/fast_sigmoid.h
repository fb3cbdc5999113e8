// sigmoid without a division, for results that feed no quantisation or that may differ by what fp16 does.
#pragma once

#include <cstdint>

#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

// Of n elements, which may be in place; computed in fp32, absolute error 1e-6.
void fast_sigmoid(const float* x, int64_t n, float* y);
void fast_sigmoid(const Half* x, int64_t n, float* y);
// Computed in fp16, absolute error 1e-3; 5e-5 instead of less below -10, 1 above 10.
void half_sigmoid(const Half* x, int64_t n, float* y);

}  // namespace edgeocr::kernels::neon
