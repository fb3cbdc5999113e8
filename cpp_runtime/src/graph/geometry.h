// Windows of convolutions and pooling in numbers: what the attributes say, resolved for an input size. Axis 0 is y, 1 is x.
#pragma once

#include <array>
#include <cstdint>

#include "base/tensor.h"
#include "graph/graph.h"

namespace edgeocr::graph {

struct Window {
  std::array<int64_t, 2> kernel{1, 1}, stride{1, 1}, dilation{1, 1};
  std::array<int64_t, 2> pad_begin{0, 0}, pad_end{0, 0};  // top, left; bottom, right

  int64_t extent(size_t axis) const { return dilation[axis] * (kernel[axis] - 1) + 1; }
};

// conv2d, depthwise_conv2d, conv2d_transpose: attributes strides, dilations, paddings (2 values: y, x; or 4: top, bottom,
// left, right) and padding_algorithm (EXPLICIT, SAME, VALID; SAME ignores the dilations, as Paddle does). `filter` is OIHW or
// IOHW. Fails with "<label>: …" on values that make no sense.
Window conv_window(const Node& node, const Shape& input, const Shape& filter);

// pool2d: the same with ksize; global_pooling takes the whole map. Not for adaptive pooling.
Window pool_window(const Node& node, const Shape& input);

// Output size along an axis of a convolution; 0 where the padded input is smaller than the window.
int64_t convolved_size(const Window& window, size_t axis, int64_t input);

// The same of a pooling, by Paddle's formula: its division drops the fraction, so a window of less than a stride more than
// the padded input still gives one value, of what there is. 0 where a window would lie outside altogether.
int64_t pooled_size(const Window& window, size_t axis, int64_t input, bool ceil_mode);

// H, W of a conv2d_transpose, with output_padding and output_size.
std::array<int64_t, 2> transposed_size(const Node& node, const Window& window, const Shape& input);

}  // namespace edgeocr::graph
