// Kernels for armv8.2-a with dot products (Cortex-A75/A76 and later). Their files are compiled for the armv8-a baseline plus
// dotprod and fp16, so that what the compiler emits for shared inline functions runs on any armv8-a processor.
#pragma once

#include <memory>
#include <span>

#include "kernels/kernel.h"

namespace edgeocr::kernels {

std::span<const KernelEntry> neon_set();
// Kernels for nodes whose precision is fp16 and for the conversions between them and others; no other set has any.
std::span<const KernelEntry> neon_fp16_set();

}  // namespace edgeocr::kernels
