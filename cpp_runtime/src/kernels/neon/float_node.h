// What NEON's floating point kernels read from their nodes alike.
#pragma once

#include <string_view>
#include <type_traits>

#include "kernels/floating/float_node.h"
#include "kernels/generic/parameters.h"
#include "kernels/neon/finish.h"
#include "kernels/pure_fp32.h"

namespace edgeocr::kernels::neon {

using floating::computes_in;
using floating::has_filter;
using floating::is_stored_once;

// Bias, activation and tail of a node; of a convolution.
template <class T> Finish<T> finish_of(const graph::Node& node, const graph::Graph& graph, int64_t channels, const Activation& act) {
  const bool plain = std::is_same_v<T, float> && !is_pure_fp32(graph);
  return {generic::bias_or_zeros(node, graph, channels), act, parse_tail(node, graph), plain, graph::has_long_sums(node)};
}
template <class T> Finish<T> finish_of(const graph::Node& node, const graph::Graph& graph, int64_t channels) {
  return finish_of<T>(node, graph, channels, generic::conv_activation(node));
}

template <class T> std::string_view float_name(std::string_view fp32, std::string_view fp16) {
  return std::is_same_v<T, float> ? fp32 : fp16;
}

}  // namespace edgeocr::kernels::neon
