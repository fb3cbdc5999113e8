// The int8 part of the inner loops (inner_loops.h): for levels with dot products of bytes.
//
// The instruction (vpdpbusd) multiplies unsigned by signed bytes. Inputs become unsigned on their way in by turning their top bit,
// which adds 128; 128 times the sum of its weights is taken from where a channel's sums begin. Sums are exact in any order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgeocr::kernels::x86 {

// What is done to a value y = sum * scale + bias (requant.h) …
enum class Function : uint8_t {
  linear,      // y, or max(y, 0)
  hard_swish,  // in units of the real value or of the int8 output's scale
  residual,    // y + r
};
// … and how the result is stored.
enum class Store : uint8_t {
  int8,   // rounded
  calib,  // times 1 / scale, rounded
  fp32,
  sums,  // the int32 sums themselves; `function` does not matter
};
struct FormI8 {
  Function function = Function::linear;
  Store store = Store::fp32;
};

// scale, bias: one per channel. The rest is for all channels; only what the form needs is meaningful.
struct ConstantsI8 {
  const float* scale = nullptr;
  const float* bias = nullptr;
  float floor = 0;                                     // linear to fp32: 0 for relu, else -infinity
  int8_t low = -127;                                   // to int8: 0 for relu, else -127
  float offset = 0, threshold = 0, inverse_scale = 0;  // hard_swish
  float calib = 1;
};

// One row of pixels. A pixel is a few segments of contiguous bytes.
struct GemmRowI8 {
  static constexpr int kMaxSegments = 5;
  const int8_t* segments[kMaxSegments] = {};  // of the first pixel
  ptrdiff_t pixel_step = 0;                   // bytes from pixel to pixel, the same in every segment
  int64_t pixels = 0;
  const int32_t* start = nullptr;  // where sums begin: [pixel][column]; null: at GemmTileI8::start
  ptrdiff_t start_step = 0;        // elements
  std::byte* out = nullptr;
  ptrdiff_t out_step = 0;  // bytes
  const float* residual = nullptr;
  ptrdiff_t residual_step = 0;  // elements
  int residual_shift = 0;       // pixel x adds residual pixel x >> residual_shift
};

// Some columns of packed weights, [segment][k / 4][column][4].
struct GemmTileI8 {
  int64_t column = 0, columns = 0;  // the first one, and how many
  int64_t segments = 0, k = 0;      // k: bytes per segment, a multiple of 4
  const int8_t* weights = nullptr;
  const int32_t* start = nullptr;  // of each column
};
using GemmFunctionI8 = void (*)(const GemmRowI8& row, const GemmTileI8& tile, const FormI8& form, const ConstantsI8& constants);

// One output row of eight channels of a depthwise convolution: four input rows of a channel side by side in 32 bits, a quad.
struct DepthwiseRowI8 {
  const uint8_t* columns;  // of transpose_quads, the first quad's
  ptrdiff_t quad_step;     // bytes to the next quad's
  const int8_t* weights;   // [quad][kernel column][channel][row]
  const int32_t* start;    // where the channels' sums begin
  std::byte* out;
  ptrdiff_t out_step;
  int64_t width;
};
using DepthwiseFunctionI8 = void (*)(const DepthwiseRowI8& row, const FormI8& form, const ConstantsI8& constants);

// What one output row of a convolution over an upsampled map takes from the map's rows, by filter row: [pixel][3 filter columns][lane]
// of products [pixel][9 taps][lane]; a step of 0 repeats one pixel.
struct ProductRowsI8 {
  const int32_t* rows[3];
  int64_t steps[3];  // elements from pixel to pixel
};
// Sums for the places that an output has over a source pixel, [pixel][3 places][lane].
struct PlacesI8 {
  const int32_t* data;
  int shift;  // of output coordinates to the source's
};

struct InnerLoopsI8 {
  GemmFunctionI8 (*gemm)(int64_t columns);

  // Four rows of eight channels to [column][channel][row], unsigned.
  void (*transpose_quads)(const int8_t* const (&rows)[4], ptrdiff_t step, int64_t columns, uint8_t* out);
  int64_t depthwise_columns;  // outputs computed together: rows of columns are read as if the width were a multiple of it
  DepthwiseFunctionI8 (*depthwise)(int64_t kernel, int64_t stride);

  // lanes: a multiple of 8
  void (*sum_product_rows)(const ProductRowsI8& rows, int64_t pixels, int64_t lanes, int32_t* out);
  // `in` begins at a zero pixel before the first.
  void (*sum_product_columns)(const int32_t* in, int64_t pixels, int64_t lanes, int32_t* out);
  // starts[x][lane] = first[lane] + what each source has for x's place
  void (*gather_places)(const PlacesI8* sources, int64_t count, const int32_t* first, int64_t width, int64_t lanes, int32_t* starts);

  void (*quantise)(const float* in, float inverse_scale, int64_t n, int8_t* out);  // requant.h's, of n values
};

}  // namespace edgeocr::kernels::x86
