// The x86 set's types, for the kernels that are the same in all sets (kernels/floating).
#pragma once

#include <algorithm>
#include <string_view>

#include "kernels/floating/conv_rows.h"
#include "kernels/generic/parameters.h"
#include "kernels/x86/finish_f32.h"
#include "kernels/x86/winograd_f32.h"

namespace edgeocr::kernels::x86 {

struct SetF32 {
  using Value = float;
  using Form = FormF32;
  using Constants = ConstantsF32;
  using Row = RowF32;
  using Finish = FinishF32;
  using Gemm = GemmF32;
  using ConvRows = floating::ConvRows<SetF32>;
  using Winograd = WinogradF32;

  static constexpr std::string_view kName = "x86";
  static constexpr bool kGates = false;
  static constexpr int64_t kGemmLanes = 4;  // what the values of a segment are a multiple of
  static constexpr int64_t kRgbPixels = 1;  // multiplied in one go
  static constexpr int64_t kLeastFcColumns = 1;

  // Of products that are parts of sums: all add a bias, be it zeros.
  static constexpr FormF32 sums_form(bool) { return {}; }
  static Finish finish_of(const graph::Node& node, const graph::Graph& graph, int64_t channels, const Activation& act) {
    return {generic::bias_or_zeros(node, graph, channels), act, parse_tail(node, graph)};
  }
  // Of a tile.
  static int64_t most_columns(const Gemm& gemm) { return gemm.widest_tile(); }
  static void widen(const float* in, int64_t n, float* out) { std::copy_n(in, n, out); }
};

}  // namespace edgeocr::kernels::x86
