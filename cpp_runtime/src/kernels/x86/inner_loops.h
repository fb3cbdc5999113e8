// The inner loops of the x86 kernels: functions over raw pointers, one table per instruction set level.
//
// inner_*.cpp are compiled once per level (kernels.cmake) with EDGEOCR_ISA naming it. Nothing of the standard library is used in
// them, for the reason that generic/simd.h gives; what is around them is compiled once, for the baseline.
// Sums of products take their terms in order by fused multiply-adds, as the plain loops do where these run: the bits are theirs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/floating/expanded_row.h"
#include "kernels/int8/inner_loops.h"

namespace edgeocr::kernels::x86 {

// What happens to an fp32 sum on registers.
struct FormF32 {
  enum class Act : uint8_t { none, relu, hard_swish };
  Act act = Act::none;
  bool residual = false;
};

struct ConstantsF32 {
  const float* bias = nullptr;                         // one per channel, zeros for those that only pad
  float offset = 0, threshold = 0, inverse_scale = 0;  // hard_swish
};

// One row of pixels. A pixel is a few segments of contiguous values.
struct RowF32 {
  static constexpr int kMaxSegments = 5;
  const float* segments[kMaxSegments] = {};  // of the first pixel
  ptrdiff_t pixel_step = 0;                  // elements from pixel to pixel, the same in every segment
  int64_t pixels = 0;
  const float* start = nullptr;  // sums begin there: [pixel][column]; null: at zero
  ptrdiff_t start_step = 0;
  float* out = nullptr;
  ptrdiff_t out_step = 0;
  const float* residual = nullptr;
  ptrdiff_t residual_step = 0;
  int64_t first = 0;  // pixel x adds residual pixel (first + x) >> residual_shift
  int residual_shift = 0;
};

// Some columns of packed weights, [segment][k][columns].
struct GemmTileF32 {
  int64_t column = 0, columns = 0;  // the first one, and how many
  int segments = 0;
  int64_t k = 0;     // values per segment, a multiple of 4
  bool rgb = false;  // of every four values the last is always zero; it has no weights
  const float* weights = nullptr;
};
using GemmFunctionF32 = void (*)(const RowF32& row, const GemmTileF32& tile, const FormF32& form, const ConstantsF32& constants);

// A register tile of a depthwise convolution: a few neighbouring outputs, all channels.
struct DepthwiseTileF32 {
  const float* rows[5];  // of input, at the first column of the first output
  ptrdiff_t pixel_step;
  const float* weights;  // [kernel * kernel][lanes]
  int64_t lanes;
  float* out;
  ptrdiff_t out_step;
};
using DepthwiseFunctionF32 = void (*)(const DepthwiseTileF32& tile, const FormF32& form, const ConstantsF32& constants);

// Winograd's F(4x4, 3x3), a tile of 6 x 6 inputs: transformed[(i * 6 + j) * element_step + c]
struct WinogradInputF32 {
  const float* rows[6];
  ptrdiff_t pixel_step;
  int64_t lanes;
  float* transformed;
  ptrdiff_t element_step;
};
// A tile of `rows` x `columns` <= 4 x 4 outputs from products laid out the same way; start: added to the sums, or null.
struct WinogradOutputF32 {
  const float* products;
  ptrdiff_t element_step;
  int64_t lanes, rows, columns;
  const float* start;
  float* out;
  ptrdiff_t row_step;  // of start and out, whose pixels are `lanes` apart
};

struct InnerLoops {
  const char* isa;

  // Columns of a vector; tiles have up to three (tile_widths.h). single_width is worth it where rows are single pixels.
  int64_t gemm_lanes;
  int64_t gemm_single_width;
  int64_t gemm_i8_lanes;
  GemmFunctionF32 (*gemm_f32)(int64_t columns);

  // Kernel 3 or 5, steps along a row 1 or 2; `many` outputs or one.
  int64_t depthwise_many;
  DepthwiseFunctionF32 (*depthwise_f32)(int64_t kernel, int64_t step, bool many);

  void (*winograd_input_f32)(const WinogradInputF32& tile);
  void (*winograd_output_f32)(const WinogradOutputF32& tile, const FormF32& form, const ConstantsF32& constants);

  // n, lanes: multiples of 8.
  void (*subtract_f32)(const float* a, const float* b, int64_t n, float* out);  // a - b; either may be null, which is zero
  void (*expand_f32)(const floating::ExpandedRow<float>& row);
  // [width][3][lanes] to [width * factor][lanes], stored or added to what is there
  void (*spread_f32)(const float* expanded, int64_t width, int64_t factor, int64_t lanes, bool add, float* sums);

  const int8::InnerLoops* int8_loops;  // null: the level has no dot products of bytes
};

// Levels that this processor can run, best first; empty where it has not even AVX2 and FMA.
std::span<const InnerLoops* const> usable_inner_loops();
// What kernels made from now on use: the best level, unless a test chose another.
const InnerLoops& current_inner_loops();
void use_inner_loops(const InnerLoops& loops);

}  // namespace edgeocr::kernels::x86
