// Factories of the fp32 kernels, and what they accept.
#pragma once

#include <memory>

#include "kernels/kernel.h"

namespace edgeocr::kernels::neon {

bool accepts_conv2d_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d_f32(const graph::Node& node, const graph::Graph& graph);

bool accepts_depthwise_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_depthwise_f32(const graph::Node& node, const graph::Graph& graph);

// fc and mul
bool accepts_fc_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_fc_f32(const graph::Node& node, const graph::Graph& graph);

bool accepts_rnn_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_rnn_f32(const graph::Node& node, const graph::Graph& graph);

bool accepts_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph);

// Any conv2d_transpose_pair: in one go where 17 to 24 channels lie between and nothing but sigmoid follows, else one after the other.
std::unique_ptr<Kernel> create_conv2d_transpose_pair_f32(const graph::Node& node, const graph::Graph& graph);

bool accepts_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::neon
