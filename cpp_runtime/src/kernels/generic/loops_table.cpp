// The table of one level, called loops_<EDGEOCR_ISA>.
#include "kernels/generic/loops_isa.h"

#define EDGEOCR_JOIN_(a, b) a##b
#define EDGEOCR_JOIN(a, b) EDGEOCR_JOIN_(a, b)
#define EDGEOCR_TEXT_(a) #a
#define EDGEOCR_TEXT(a) EDGEOCR_TEXT_(a)

namespace edgeocr::kernels::generic {

const Loops& EDGEOCR_JOIN(loops_, EDGEOCR_ISA)() {
  static constexpr auto text = EDGEOCR_TEXT(EDGEOCR_ISA);
  static const Loops table{
      .isa = text,
      .gemm_f32 = gemm_f32,
      .gemm_i8 = gemm_i8,
      .group_i8 = group_i8(),
      .depthwise_f32 = depthwise_f32,
      .depthwise_i8 = depthwise_i8,
      .finish_f32 = finish_f32,
      .requantise_f32 = requantise_f32,
      .requantise_i8 = requantise_i8,
      .widen = widen,
      .quantise = quantise_all,
      .dequantise = dequantise_all,
      .unary = unary,
      .binary = binary,
      .affine = affine,
      .affine_channels = affine_channels,
      .accumulate = accumulate,
      .maximum = maximum,
      .multiply = multiply,
      .softmax = softmax,
      .lstm_cell = lstm_cell,
  };
  return table;
}

}  // namespace edgeocr::kernels::generic
