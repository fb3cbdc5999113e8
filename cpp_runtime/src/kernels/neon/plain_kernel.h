// The plain set's kernel for a node, to which a NEON kernel leaves shapes too rare to have a form of their own.
#pragma once

#include <memory>

#include "kernels/kernel.h"

namespace edgeocr::kernels::neon {

// T: what the node computes in. Half: the kernel works on widened copies in scratch memory; the node's tail has no steps, its inputs and
// outputs are at most four.
template <class T> std::unique_ptr<Kernel> plain_kernel(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::neon
