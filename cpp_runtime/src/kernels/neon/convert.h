// Between fp16 and fp32, any number of elements.
#pragma once

#include <cstdint>

#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

void widen(const Half* in, int64_t n, float* out);
void narrow(const float* in, int64_t n, Half* out);

}  // namespace edgeocr::kernels::neon
