// A conv2d whose input is multiplied by gates (graph/passes/fuse_gate.h), for kernel sets that have no form of their own for it.
#pragma once

#include "kernels/generic/operators.h"

namespace edgeocr::kernels::generic {

inline bool is_gated(const graph::Node& node) { return node.input("Gate") != graph::kNoValue; }

// Multiplies the map, in scratch memory, and leaves the rest to the kernel that `create` makes.
std::unique_ptr<Kernel> create_gated_conv2d(const graph::Node& node, const graph::Graph& graph, Factory* create);

}  // namespace edgeocr::kernels::generic
