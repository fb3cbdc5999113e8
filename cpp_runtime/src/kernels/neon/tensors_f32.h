// What is done to fp32 tensors between convolutions and behind them, by the NEON set, as entries of its table.
#pragma once

#include "kernels/kernel.h"

namespace edgeocr::kernels::neon {

// elementwise_add, elementwise_mul: no steps in the tail, one output, fp32 or int8.
bool accepts_elementwise_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_elementwise_f32(const graph::Node& node, const graph::Graph& graph);

// pool2d: no steps in the tail, one output, fp32 or int8.
bool accepts_pool2d_f32(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_pool2d_f32(const graph::Node& node, const graph::Graph& graph);

// softmax, along any axis.
bool accepts_softmax(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_softmax(const graph::Node& node, const graph::Graph& graph);

// greedy_ctc that takes the softmax in.
bool accepts_greedy_ctc(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_greedy_ctc(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::neon
