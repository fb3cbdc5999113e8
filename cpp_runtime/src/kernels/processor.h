// What this processor can run, as it and its operating system report it; never a table of chip names.
#pragma once

namespace edgeocr::kernels {

// x86-64-v3 (AVX2, FMA, BMI and their like), and an operating system that saves the wide registers.
bool has_x86_64_v3();
// x86-64-v4 (AVX-512 F, BW, CD, DQ, VL) and VNNI on top of that.
bool has_avx512_vnni();
// armv8.2-a's dot products and fp16 arithmetic.
bool has_armv82_dotprod();

}  // namespace edgeocr::kernels
