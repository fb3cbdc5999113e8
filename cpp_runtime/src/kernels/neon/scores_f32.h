// What the NEON set does to scores in fp32, as entries of its table.
#pragma once

#include "kernels/kernel.h"

namespace edgeocr::kernels::neon {

// softmax, along any axis.
bool accepts_softmax(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_softmax(const graph::Node& node, const graph::Graph& graph);

// greedy_ctc that takes the softmax in.
bool accepts_greedy_ctc(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_greedy_ctc(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::neon
