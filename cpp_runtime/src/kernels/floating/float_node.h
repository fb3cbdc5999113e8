// What the floating point kernels of all sets read from their nodes alike.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "graph/graph.h"
#include "graph/precision.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::floating {

// Whether the node's arithmetic is that of T.
template <class T> bool computes_in(const graph::Node& node) {
  return node.precision == (std::is_same_v<T, float> ? graph::kFp32Precision : graph::kFp16Precision);
}

// A computed map and a filter of the file. Maps of the file are dense in another way, which the plain kernels refuse by name.
inline bool has_filter(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* filter = graph.constant(node.input("Filter"));
  return graph.constant(node.input("Input")) == nullptr && filter != nullptr && filter->dtype == DataType::f32 && filter->shape.rank() == 4;
}

// Whether all the tail does is to store the one output.
inline bool is_stored_once(const graph::Node& node, const graph::Graph& graph) {
  const TailParameters tail = parse_tail(node, graph);
  return !tail.has_steps() && tail.outputs.size() == 1;
}

// Set: a kernel set's types for one type of values, and what its kernels do otherwise than those of others (neon/float_set.h,
// x86/set_f32.h).

// <set>.<op>.<type><variant>
template <class Set> std::string kernel_name(std::string_view op, std::string_view variant = {}) {
  const std::string_view type = std::is_same_v<typename Set::Value, float> ? ".fp32" : ".fp16";
  return std::string(Set::kName).append(".").append(op).append(type).append(variant);
}

}  // namespace edgeocr::kernels::floating
