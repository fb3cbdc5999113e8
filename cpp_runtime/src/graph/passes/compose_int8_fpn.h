#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// What factor_fpn does, for int8 pyramids, where it is no rewriting of the same arithmetic: a 3x3 convolution over a quantised sum of 1x1
// convolutions and upsampled maps becomes one conv2d_over_upsampled of the int8 maps behind the sum,
//   conv3(q(in2(f2) + up2(in3(f3) + up2(o4)))) = conv3'(f2) + conv3''(up2 f3) + conv3'''(up4 q(o4))
// The sums are not rounded to int8 any more; in exchange the composed weights are rounded, which changes maps no more than mark_fast_int8
// does. A channel's weights of all sources, each times its map's scale, share one scale, so that all products add up in one integer. Maps
// that are not taken apart are read as the calib of their own 3x3 convolution leaves them.
//
// A convolution is rewritten only if
// - that saves a quarter of its multiply-adds;
// - the sum's calib keeps at least what the sum's values come to (root mean square), were its terms independent and each spread evenly over
//   its range: a sum that reaches further is clipped a lot, and a net trained with the clip reads other maps without it. The sums of
//   PP-OCRv2's and our detectors have 1.7 times that, the largest of PP-OCR v2.0's .9, and 16 % of its values are clipped on a page;
// - in every channel the rounding of the weights is at most kMostWeightError of the weights (root mean squares): what it does to sums of
//   independent inputs of equal size.
void compose_int8_fpn(Graph& graph);

inline constexpr double kMostWeightError = 1.0 / 32;

}  // namespace edgeocr::graph
