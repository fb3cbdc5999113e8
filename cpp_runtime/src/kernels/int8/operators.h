// The int8 kernels as entries of the table of a kernel set that has their inner loops.
#pragma once

#include "kernels/kernel.h"

namespace edgeocr::kernels::int8 {

// conv2d, one group, kernels up to 5 rows high, any stride, no dilation, more than one channel in and four out.
bool accepts_conv2d(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph);

// Depthwise 3x3 and 5x5, stride 1 or 2 in either direction, no dilation, more than four channels.
bool accepts_depthwise(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_depthwise(const graph::Node& node, const graph::Graph& graph);

// conv2d_over_upsampled: one map of full size and one to three enlarged by powers of two.
bool accepts_conv_over_upsampled(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv_over_upsampled(const graph::Node& node, const graph::Graph& graph);

// calib, fp32_to_int8.
bool accepts_calib(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_calib(const graph::Node& node, const graph::Graph& graph);

// fc, mul, matmul and matmul_v2, weights constant; dynamic_fc.
bool accepts_fc(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_fc(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::int8
