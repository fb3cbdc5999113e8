// What conv2d, depthwise_conv2d and conv2d_transpose read from their nodes.
#pragma once

#include <string_view>

#include "graph/graph.h"
#include "kernels/generic/views.h"
#include "kernels/requant.h"

namespace edgeocr::kernels::generic {

// Pad before an input of this height or width so that the output is ceil(size / stride); an odd rest goes to the end.
int64_t same_pad_begin(int64_t size, int64_t kernel, int64_t stride);

struct ConvParameters {
  ConvGeometry geometry;
  bool same_padding = false;  // padding_algorithm SAME: the pads follow from the input (same_pad_begin)
  bool int8_in = false, int8_out = false;

  int64_t pad_top(int64_t in_h) const {
    return same_padding ? same_pad_begin(in_h, geometry.kernel_h, geometry.stride_h) : geometry.pad_top;
  }
  int64_t pad_left(int64_t in_w) const {
    return same_padding ? same_pad_begin(in_w, geometry.kernel_w, geometry.stride_w) : geometry.pad_left;
  }
  int64_t group_in() const { return geometry.in_channels / geometry.groups; }
  int64_t group_out() const { return geometry.out_channels / geometry.groups; }
};

// Filter: OIHW; transposed: IOHW (O per group). Fails on a filter or attributes that do not fit together.
ConvParameters conv_parameters(const graph::Node& node, const graph::Graph& graph, bool transposed);

// Of a conv2d_over_upsampled, by the Filter of one of its sources: 3x3 over the upsampled map with a border of one.
ConvGeometry over_upsampled_geometry(const Shape& filter);

// Fails unless dtypes and channel counts of the views are the convolution's.
void check_views(std::string_view op, const ConvParameters& parameters, const TensorView& in, const TensorView& out);

}  // namespace edgeocr::kernels::generic
