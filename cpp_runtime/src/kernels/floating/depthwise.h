// depthwise_conv2d in floating point: which ones the sets' kernels compute.
#pragma once

#include "kernels/floating/float_node.h"
#include "kernels/generic/conv_parameters.h"

namespace edgeocr::kernels::floating {

// 3x3 and 5x5 of one channel each, steps of one or two along a row, any step between rows.
template <class T> bool accepts_depthwise(const graph::Node& node, const graph::Graph& graph) {
  if (!computes_in<T>(node) || !has_filter(node, graph)) return false;
  const generic::ConvParameters p = generic::conv_parameters(node, graph, false);
  const ConvGeometry& g = p.geometry;
  const bool depthwise = g.groups > 4 && g.groups == g.in_channels && g.groups == g.out_channels;
  return depthwise && g.kernel_h == g.kernel_w && (g.kernel_h == 3 || g.kernel_h == 5) && g.stride_w <= 2 && g.dilation_h == 1 &&
         g.dilation_w == 1 && !p.same_padding;
}

}  // namespace edgeocr::kernels::floating
