// sigmoid without a division, for nets whose results feed no quantisation.
#pragma once

#include <cstdint>

namespace edgeocr::kernels::neon {

// In place, n elements; absolute error 1e-6.
void fast_sigmoid(float* y, int64_t n);

}  // namespace edgeocr::kernels::neon
