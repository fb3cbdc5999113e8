// What the floating point kernels read from their nodes alike.
#pragma once

#include <string_view>
#include <type_traits>

#include "graph/graph.h"
#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/neon/finish.h"
#include "kernels/pure_fp32.h"

namespace edgeocr::kernels::neon {

// Whether the node's arithmetic is that of T.
template <class T> bool computes_in(const graph::Node& node) {
  return std::is_same_v<T, float> ? node.precision == graph::kFp32Precision : node.precision == graph::kFp16Precision;
}

// Whether all the tail does is to store the one output.
inline bool is_stored_once(const graph::Node& node, const graph::Graph& graph) {
  const TailParameters tail = parse_tail(node, graph);
  return !tail.has_steps() && tail.outputs.size() == 1;
}

inline bool has_filter(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* filter = graph.constant(node.input("Filter"));
  return filter != nullptr && filter->dtype == DataType::f32 && filter->shape.rank() == 4;
}

// Bias, activation and tail of a convolution.
template <class T> Finish<T> finish_of(const graph::Node& node, const graph::Graph& graph, int64_t channels) {
  const bool plain = std::is_same_v<T, float> && !is_pure_fp32(graph);
  return {generic::bias_or_zeros(node, graph, channels), generic::conv_activation(node), parse_tail(node, graph), plain,
          graph::has_long_sums(node)};
}

template <class T> std::string_view float_name(std::string_view fp32, std::string_view fp16) {
  return std::is_same_v<T, float> ? fp32 : fp16;
}

}  // namespace edgeocr::kernels::neon
