// The values of Node::precision, as opt writes them, and the conversions between two of them.
#pragma once

#include <algorithm>

#include "graph/graph.h"

namespace edgeocr::graph {

constexpr int kFp32Precision = 1, kInt8Precision = 2, kFp16Precision = 5;

// Whether any node computes in int8.
inline bool has_int8(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const Node& node) { return node.precision == kInt8Precision; });
}

// The attribute that mark_fast_int8 gives to int8 nodes.
inline constexpr char kFastInt8[] = "fast_int8";
inline bool is_fast_int8(const Node& node) { return node.has_attr(kFastInt8); }

// Of the maps that a node of this precision reads; constants of fp16 nodes are fp32.
constexpr DataType dtype_of(int precision) {
  return precision == kInt8Precision ? DataType::i8 : precision == kFp16Precision ? DataType::f16 : DataType::f32;
}

// A calib between fp32 and fp16: a conversion without a scale.
inline bool narrows(const Node& node) { return node.op == "calib" && node.alias == "fp32_to_fp16"; }
inline bool widens(const Node& node) { return node.op == "calib" && node.alias == "fp16_to_fp32"; }

// Whether a node of fp16 may add its products to a sum one after the other in fp16 (passes/lower_to_fp16.h).
inline constexpr char kLongSums[] = "long_sums";
inline bool has_long_sums(const Node& node) { return node.has_attr(kLongSums); }

}  // namespace edgeocr::graph
