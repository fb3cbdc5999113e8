// Row-major NCHW floats, as files and other languages have them, to and from the engine's layout (base/tensor.h).
#pragma once

#include <span>
#include <vector>

#include "base/tensor.h"

namespace edgeocr {

// Fills an fp32 view; the padding lanes of a map become zero. Fails unless there are view.shape.count() values.
void copy_from_nchw(std::span<const float> values, const TensorView& view);
// Fails if the view is not fp32.
std::vector<float> copy_to_nchw(const TensorView& view);

}  // namespace edgeocr
