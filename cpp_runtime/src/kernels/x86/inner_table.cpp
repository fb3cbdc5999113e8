// The table of one level, called inner_loops_<EDGEOCR_ISA>.
#include "kernels/x86/inner_isa.h"

#define EDGEOCR_JOIN_(a, b) a##b
#define EDGEOCR_JOIN(a, b) EDGEOCR_JOIN_(a, b)
#define EDGEOCR_TEXT_(a) #a
#define EDGEOCR_TEXT(a) EDGEOCR_TEXT_(a)

namespace edgeocr::kernels::x86 {

namespace {

const int8::InnerLoops* int8_loops() {
#if defined(__AVX512VNNI__)
  static const int8::InnerLoops table{
      .set = "x86",
      .gemm = gemm_i8,
      .transpose_quads = transpose_quads,
      .transposed_zero = kTransposedZero,
      .depthwise_columns = kDepthwiseColumns,
      .depthwise = depthwise_i8,
      .sum_products = sum_products,
      .spread_places = spread_places,
      .quantise = quantise_f32,
      .quantise_bounded = quantise_f32,
      .quantise_fast = quantise_f32,
      .largest_magnitude = largest_magnitude_f32,
  };
  return &table;
#else
  return nullptr;
#endif
}

}  // namespace

const InnerLoops& EDGEOCR_JOIN(inner_loops_, EDGEOCR_ISA)() {
  static constexpr auto text = EDGEOCR_TEXT(EDGEOCR_ISA);
  static const InnerLoops table{
      .isa = text,
      .gemm_lanes = kWideLanes,
      .gemm_single_width = kGemmSingleVectors * kWideLanes,
      .gemm_i8_lanes = kLanes,
      .gemm_f32 = gemm_f32,
      .depthwise_many = kDepthwiseMany,
      .depthwise_f32 = depthwise_f32,
      .winograd_input_f32 = winograd_input_f32,
      .winograd_output_f32 = winograd_output_f32,
      .subtract_f32 = subtract_f32,
      .expand_f32 = expand_f32,
      .spread_f32 = spread_f32,
      .int8_loops = int8_loops(),
  };
  return table;
}

}  // namespace edgeocr::kernels::x86
