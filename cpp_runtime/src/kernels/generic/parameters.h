// Reading what operators have in common out of a node.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "kernels/requant.h"

namespace edgeocr::kernels::generic {

// Fused activation of conv2d, depthwise_conv2d, conv2d_transpose: with_act, act_type and their parameters (NB_FORMAT §4).
// Fails on an activation that arm kernels do not have.
Activation conv_activation(const graph::Node& node);
// fc, scale: activation_type. fusion_elementwise_*_activation: act_type.
Activation named_activation(const graph::Node& node, std::string_view attribute);

// The constant behind an input; fails with "<op>: input <parameter> (…) is computed, expected a parameter" or "… is missing".
const graph::Constant& constant_input(const graph::Node& node, const graph::Graph& graph, std::string_view parameter, int index = 0);
// As fp32 values, from fp32 only.
std::vector<float> constant_floats(const graph::Node& node, const graph::Graph& graph, std::string_view parameter);
// Bias of n channels, zeros where there is none.
std::vector<float> bias_or_zeros(const graph::Node& node, const graph::Graph& graph, int64_t n);

// A scale attribute (FLOATS or FLOAT) with `n` values; one value serves all. Fails on another count.
std::vector<float> scales(const graph::Node& node, std::string_view attribute, int64_t n);
float single_scale(const graph::Node& node, std::string_view attribute);
// One that is divided by: fails unless it is above 0.
float positive_scale(const graph::Node& node, std::string_view attribute);

// Positions in the spans that Kernel::run gets.
size_t input_index(const graph::Node& node, std::string_view parameter, int index = 0);

size_t output_index(const graph::Node& node, std::string_view parameter);

// axis counted from the end where negative; fails outside [-rank, rank).
int positive_axis(std::string_view op, int64_t axis, int rank);

}  // namespace edgeocr::kernels::generic
