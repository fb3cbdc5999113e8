// Tails in the plain set: a kernel without a tail computes the whole fp32 result, then the tail's steps run row by row.
#pragma once

#include "kernels/generic/operators.h"

namespace edgeocr::kernels::generic {

std::unique_ptr<Kernel> create_fused_tail(const graph::Node& node, const graph::Graph& graph, Factory* factory);

// The factory of an operator whose nodes may have a tail.
template <Factory create> std::unique_ptr<Kernel> with_tail(const graph::Node& node, const graph::Graph& graph) {
  return node.tail == nullptr ? create(node, graph) : create_fused_tail(node, graph, create);
}

// KernelEntry::accepts of the others.
bool has_no_tail(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::generic
