// conv2d_transpose_pair (graph/passes/fuse_transposed_head.h) as two nodes, for kernels that are made of two.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "kernels/kernel.h"

namespace edgeocr::kernels::generic {

// index 0 or 1; the second keeps activation and tail. Both read the pair's Input, though the second's is what the first writes.
graph::Node part_of_pair(const graph::Node& pair, int index);

// Whether nothing follows the second but, maybe, a sigmoid, and the one output is fp32.
bool ends_plainly(const graph::Node& pair, const graph::Graph& graph);

// One after the other, both from `sets`, with the map between in scratch memory.
std::unique_ptr<Kernel> create_in_sequence(std::string name, const graph::Node& pair, const graph::Graph& graph,
                                           std::span<const std::span<const KernelEntry>> sets);

}  // namespace edgeocr::kernels::generic
