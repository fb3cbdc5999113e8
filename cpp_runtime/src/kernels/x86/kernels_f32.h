// Factories of the fp32 kernels, and what they accept.
#pragma once

#include <memory>

#include "kernels/kernel.h"

namespace edgeocr::kernels::x86 {

bool accepts_conv2d_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d_f32(const graph::Node& node, const graph::Graph& graph);

std::unique_ptr<Kernel> create_depthwise_f32(const graph::Node& node, const graph::Graph& graph);

// fc and mul
bool accepts_fc_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_fc_f32(const graph::Node& node, const graph::Graph& graph);

bool accepts_rnn_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_rnn_f32(const graph::Node& node, const graph::Graph& graph);

bool accepts_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d_transpose_f32(const graph::Node& node, const graph::Graph& graph);

// Every one: those without a kernel of their own are two transposed convolutions.
std::unique_ptr<Kernel> create_conv2d_transpose_pair_f32(const graph::Node& node, const graph::Graph& graph);

bool accepts_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::x86
