// Linear and relu to int8 by a line: fma(M + sum, scale, offset).
#pragma once

#include <cstdint>
#include <optional>

#include "kernels/neon/steps.h"

namespace edgeocr::kernels::neon {

// What the vector kernels compute.
int8_t line_at(const Steps& steps, int32_t sum, int8_t low);

// reach: bound of |sum|, less than 2^22. Nothing: no proof was found.
std::optional<Steps> find_line(const Rule& rule, int64_t reach);

}  // namespace edgeocr::kernels::neon
