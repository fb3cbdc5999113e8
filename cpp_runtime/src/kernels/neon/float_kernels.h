// Factories of the floating point kernels, and what they accept.
#pragma once

#include <memory>

#include "kernels/kernel.h"

namespace edgeocr::kernels::neon {

// T: float, Half (kernels/simd/vector.h)
template <class T> bool accepts_conv2d(const graph::Node& node, const graph::Graph& graph);
template <class T> std::unique_ptr<Kernel> create_conv2d(const graph::Node& node, const graph::Graph& graph);

template <class T> std::unique_ptr<Kernel> create_depthwise(const graph::Node& node, const graph::Graph& graph);

template <class T> bool accepts_conv2d_transpose(const graph::Node& node, const graph::Graph& graph);
template <class T> std::unique_ptr<Kernel> create_conv2d_transpose(const graph::Node& node, const graph::Graph& graph);

template <class T> bool accepts_conv2d_over_upsampled(const graph::Node& node, const graph::Graph& graph);
template <class T> std::unique_ptr<Kernel> create_conv2d_over_upsampled(const graph::Node& node, const graph::Graph& graph);

// elementwise_add, elementwise_mul: no steps in the tail, one output.
template <class T> bool accepts_elementwise(const graph::Node& node, const graph::Graph& graph);
template <class T> std::unique_ptr<Kernel> create_elementwise(const graph::Node& node, const graph::Graph& graph);

// pool2d: no steps in the tail, one output.
template <class T> bool accepts_pool2d(const graph::Node& node, const graph::Graph& graph);
template <class T> std::unique_ptr<Kernel> create_pool2d(const graph::Node& node, const graph::Graph& graph);

// fc and mul
template <class T> bool accepts_fc(const graph::Node& node, const graph::Graph& graph);
template <class T> std::unique_ptr<Kernel> create_fc(const graph::Node& node, const graph::Graph& graph);

template <class T> bool accepts_rnn(const graph::Node& node, const graph::Graph& graph);
template <class T> std::unique_ptr<Kernel> create_rnn(const graph::Node& node, const graph::Graph& graph);

// fp32 only.
// Any conv2d_transpose_pair: in one go where 17 to 24 channels lie between and nothing but sigmoid follows, else one after the other.
std::unique_ptr<Kernel> create_conv2d_transpose_pair_f32(const graph::Node& node, const graph::Graph& graph);

// fp16 only.
bool accepts_conv2d_transpose_pair_f16(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_conv2d_transpose_pair_f16(const graph::Node& node, const graph::Graph& graph);

// calib between fp32 and fp16
bool accepts_calib_f16(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_calib_f16(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::neon
