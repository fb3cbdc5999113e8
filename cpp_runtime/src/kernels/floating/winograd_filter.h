// What Winograd's F(n x n, 3x3) asks of a convolution and makes of its filter, whatever n is.
#pragma once

#include <functional>

#include "graph/graph.h"
#include "kernels/requant.h"

namespace edgeocr::kernels::floating {

// Of n = 4: points 0, 1, -1, 2, -2 and infinity.
inline constexpr double kWinogradFilter4[6][3] = {{0.25, 0, 0},
                                                  {-1 / 6.0, -1 / 6.0, -1 / 6.0},
                                                  {-1 / 6.0, 1 / 6.0, -1 / 6.0},
                                                  {1 / 24.0, 1 / 12.0, 1 / 6.0},
                                                  {1 / 24.0, -1 / 12.0, 1 / 6.0},
                                                  {0, 0, 1}};

// 3x3, steps 1, pads of 1, and wide enough that the transforms are worth it.
inline bool suits_winograd(const ConvGeometry& g) {
  constexpr int64_t kLeastChannels = 16;
  const bool three = g.kernel_h == 3 && g.kernel_w == 3 && g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 && g.dilation_w == 1;
  const bool pads = g.pad_top == 1 && g.pad_bottom == 1 && g.pad_left == 1 && g.pad_right == 1;
  return three && pads && g.groups == 1 && g.in_channels >= kLeastChannels && g.out_channels >= kLeastChannels;
}

// The weights of the product of one element of transformed tiles, of whose row and column these are the filter's transforms.
std::function<float(int64_t segment, int64_t k, int64_t column)> winograd_weights(const graph::Constant& filter, const double (&row)[3],
                                                                                  const double (&column)[3]);

}  // namespace edgeocr::kernels::floating
