#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// fp32 feature pyramids that are linear: a 3x3 convolution over sums of 1x1 convolutions and upsampled maps becomes one
// conv2d_over_upsampled of what is summed,
//   conv3(in2(f2) + up2(in3(f3) + up2(o4))) = conv3'(f2) + conv3''(up2 f3) + conv3(up4 o4)
// with 1x1 and 3x3 weights composed (in double, then fp32). 1x1 convolutions with a bias or an activation stay as they are: behind
// a bias the padding would not be zero. A sum is taken apart only where that saves a quarter of its multiply-adds, so maps of many
// channels at low resolution stay. The result differs from the file's operators by rounding only.
void factor_fpn(Graph& graph);

}  // namespace edgeocr::graph
