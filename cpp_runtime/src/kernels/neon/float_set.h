// NEON's types, for the kernels that are the same in all sets (kernels/floating).
#pragma once

#include "kernels/floating/conv_rows.h"
#include "kernels/neon/convert.h"
#include "kernels/neon/float_node.h"
#include "kernels/neon/winograd.h"

namespace edgeocr::kernels::neon {

template <class T> struct FloatSet {
  using Value = T;
  using Form = FloatForm;
  using Constants = neon::Constants<T>;
  using Row = neon::Row<T>;
  using Finish = neon::Finish<T>;
  using Gemm = neon::Gemm<T>;
  using ConvRows = floating::ConvRows<FloatSet>;
  using Winograd = neon::Winograd<T>;

  static constexpr std::string_view kName = "neon";
  static constexpr bool kGates = true;                   // Gemm multiplies its weights with gates
  static constexpr int64_t kGemmLanes = Vec<T>::kLanes;  // what the values of a segment are a multiple of
  static constexpr int64_t kRgbPixels = Gemm::kRgbPixels;
  // Less than a tile of columns gains less in fp16 than its rows cost to convert.
  static constexpr int64_t kLeastFcColumns = std::is_same_v<T, float> ? 1 : Gemm::kColumns;

  // Of products that are parts of sums, one of which has the bias.
  static constexpr FloatForm sums_form(bool bias) { return {.plain = false, .bias = bias}; }
  static Finish finish_of(const graph::Node& node, const graph::Graph& graph, int64_t channels, const Activation& act) {
    return neon::finish_of<T>(node, graph, channels, act);
  }
  // Of a tile.
  static int64_t most_columns(const Gemm&) { return Gemm::kColumns; }
  static void widen(const T* in, int64_t n, float* out) { neon::widen(in, n, out); }
};

}  // namespace edgeocr::kernels::neon
