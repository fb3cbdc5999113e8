// Kernels for x86-64 with AVX2 and FMA, quicker where there is AVX-512 with VNNI too. What depends on the instruction set is in the
// inner loops (inner_loops.h); the files around them are compiled for the baseline.
#pragma once

#include <span>

#include "kernels/kernel.h"

namespace edgeocr::kernels { std::span<const KernelEntry> x86_set(); }  // namespace edgeocr::kernels
