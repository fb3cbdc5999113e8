#pragma once

#include <functional>

#include "graph/graph.h"

namespace edgeocr::graph {

// int8 nodes whose one fp32 result is read by a conversion to fp16 alone (lower_to_fp16) store it as fp16 themselves, where has_kernel,
// asked with the node as it would be, says that they can. The bits are the same.
void fuse_narrowing(Graph& graph, const std::function<bool(const Node& node)>& has_kernel);

}  // namespace edgeocr::graph
