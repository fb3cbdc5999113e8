// Kernels that order sums otherwise than the plain set serve nets without int8 only: there fp32 results are held to a tolerance, in
// int8 nets a last bit of a head or a gate could turn into another int8 value, or another result than on the host.
#pragma once

#include <algorithm>

#include "graph/fused_tail.h"
#include "graph/graph.h"
#include "graph/precision.h"

namespace edgeocr::kernels {

inline bool is_pure_fp32(const graph::Graph& graph) {
  return std::ranges::none_of(graph.nodes, [](const graph::Node& node) {
    const auto is_int8 = [](const graph::FusedTail::Output& output) { return output.dtype == DataType::i8; };
    const bool int8_tail = node.tail != nullptr && std::ranges::any_of(node.tail->outputs, is_int8);
    const bool int8_calib = node.op == "calib" && !graph::narrows(node) && !graph::widens(node);
    return node.precision == graph::kInt8Precision || int8_calib || int8_tail;
  });
}

}  // namespace edgeocr::kernels
