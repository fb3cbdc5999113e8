// Building Node::tail (fused_tail.h).
#pragma once

#include "graph/fused_tail.h"
#include "graph/graph.h"

namespace edgeocr::graph {

// Whether the node's kernels know tails, and its own result is fp32.
bool takes_tail(const Node& node);

// A convolution or matrix product.
bool is_product(const Node& node);

// A copy to be changed; for a node without a tail: no steps, its result as it is.
FusedTail tail_of(const Node& node);
void set_tail(Node& node, FusedTail tail);

// The tail has nothing but its result yet, in fp32: an addend, an activation and a residual can follow …
bool takes_addend(const FusedTail& tail);
bool takes_activation(const FusedTail& tail);  // … behind an addend
bool takes_residual(const FusedTail& tail);    // … behind both

}  // namespace edgeocr::graph
