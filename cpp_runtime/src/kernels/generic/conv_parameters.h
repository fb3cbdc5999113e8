// What conv2d, depthwise_conv2d and conv2d_transpose read from their nodes.
#pragma once

#include "graph/graph.h"
#include "kernels/generic/epilogue.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

enum class PaddingAlgorithm : uint8_t { explicit_pads, same, valid };

struct ConvParameters {
  ConvGeometry geometry;  // with PaddingAlgorithm::same the pads follow from the input
  PaddingAlgorithm padding = PaddingAlgorithm::explicit_pads;
  bool int8_in = false, int8_out = false;

  int64_t group_in() const { return geometry.in_channels / geometry.groups; }
  int64_t group_out() const { return geometry.out_channels / geometry.groups; }
};

// Filter: OIHW; transposed: IOHW (O per group). Fails on a filter or attributes that do not fit together.
ConvParameters conv_parameters(const graph::Node& node, const graph::Graph& graph, bool transposed);

// Pads and dilation in force for an input of this height or width: Paddle's UpdatePaddingAndDilation.
struct AxisPlacement {
  int64_t pad_begin, dilation;
};
AxisPlacement place(PaddingAlgorithm padding, int64_t pad_begin, int64_t dilation, int64_t size, int64_t kernel, int64_t stride);

// Top and left pad, or all four, as the attribute states them: [h, w] or [top, bottom, left, right].
struct Pads {
  int64_t top, bottom, left, right;
};
Pads read_pads(const graph::Node& node);
PaddingAlgorithm read_padding_algorithm(const graph::Node& node);

// Bias, scales and fused activation of the node.
Epilogue conv_epilogue(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters);

// Fails unless dtypes and channel counts of the views are the convolution's.
void check_views(std::string_view op, const ConvParameters& parameters, const TensorView& in, const TensorView& out);

}  // namespace edgeocr::kernels::generic
