// What the int8 kernels ask of a kernel set: inner loops over raw pointers, in one table.
//
// A form and its constants say how sums end. Files that are compiled once per instruction set level include this one, so nothing of the
// standard library is used in it (generic/simd.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgeocr::kernels::int8 {

// What is done to a value y = sum * scale + bias (requant.h) …
enum class Function : uint8_t {
  linear,      // y, or max(y, 0)
  hard_swish,  // in units of the real value or of the int8 output's scale
  residual,    // y + r
  by_row,      // linear to fp32, with scale the column's times the row's own (dynamic_int8.h)
};
// … and how the result is stored.
enum class Store : uint8_t {
  steps,          // int8, a shorter way that a set has proven for these channels (ending.h)
  short_steps,    // int8 of a hard_swish, a way that is shorter still and at times one off
  calib,          // int8, rounded after a multiplication by calib (by one where the scale holds everything)
  bounded_calib,  // the same where all products are known to be numbers within +-kBound
  fp32,
  fp16,  // of linear, rounded from fp32 to nearest even; matrix products of sets that compute in fp16
  sums,  // the int32 sums themselves; `function` does not matter
};
constexpr bool stores_int8(Store store) { return store < Store::fp32; }
constexpr ptrdiff_t result_bytes(Store store) { return stores_int8(store) ? 1 : store == Store::fp16 ? 2 : 4; }
inline constexpr double kBound = 32700, kNarrow = 1 << 22;

struct Form {
  Function function = Function::linear;
  Store store = Store::fp32;
  bool wide = false;    // sums may leave +-2^22
  bool fast = false;    // results may be what mark_fast_int8 (graph/passes) allows
  bool second = false;  // of fp32 results, and bounded_calib of a residual: int8 by another calib as well, bounded; never wide
  bool operator==(const Form&) const = default;
};

// scale, bias: one per channel. The rest is for all channels; only what the form needs is meaningful.
struct FinishConstants {
  const float* scale = nullptr;
  const float* bias = nullptr;
  float floor = 0;                                     // linear and by_row to fp32 or fp16: 0 for relu, else -infinity
  int8_t low = -127;                                   // to int8: 0 for relu, else -127
  float offset = 0, threshold = 0, inverse_scale = 0;  // hard_swish
  float calib = 1, second_calib = 1;
};

// One row of pixels. A pixel is a few segments of contiguous bytes.
struct GemmRow {
  static constexpr int kMaxSegments = 5;
  const int8_t* segments[kMaxSegments] = {};  // of the first pixel
  ptrdiff_t pixel_step = 0;                   // bytes from pixel to pixel, the same in every segment
  int64_t pixels = 0;
  const int32_t* start = nullptr;  // sums begin here: [pixel][column]
  ptrdiff_t start_step = 0;        // elements
  std::byte* out = nullptr;
  ptrdiff_t out_step = 0;  // bytes
  int8_t* second = nullptr;
  ptrdiff_t second_step = 0;
  const float* residual = nullptr;
  ptrdiff_t residual_step = 0;   // elements
  int residual_shift = 0;        // pixel x adds residual pixel x >> residual_shift
  const float* scale = nullptr;  // by_row: the first pixel's
  ptrdiff_t scale_step = 0;      // elements
};

// Some columns of weights, [segment][k / 4][column][4].
struct GemmTile {
  int64_t segments = 0, k = 0;  // k: bytes per segment, a multiple of 4
  const int8_t* weights = nullptr;
  Form form;
};
// Row and constants begin at the tile's first column.
using GemmFunction = void (*)(const GemmRow& row, const GemmTile& tile, const FinishConstants& constants);

// One output row of eight channels of a depthwise convolution: four input rows of a channel side by side in 32 bits, a quad.
struct DepthwiseRow {
  const int8_t* columns;  // of transpose_quads, the first quad's
  ptrdiff_t quad_step;    // bytes to the next quad's
  const int8_t* weights;  // [quad][kernel column][channel][row]
  const int32_t* start;   // where the channels' sums begin
  std::byte* out;
  ptrdiff_t out_step;
  int64_t width;
  Form form;
};
using DepthwiseFunction = void (*)(const DepthwiseRow& row, const FinishConstants& constants);

// What one output row of a convolution over an upsampled map takes from the map's rows, by filter row: products [pixel][9 taps][lane]; a
// step of 0 repeats one pixel.
struct ProductRows {
  const int32_t* rows[3];
  int64_t steps[3];  // elements from pixel to pixel
};
// Sums for the places that an output has over a source pixel, [pixel][place][lane]: left edge, inside, right edge, or only the edges of
// what is two outputs wide.
struct Places {
  const int32_t* data = nullptr;
  int64_t count = 3;  // of places per pixel
  int shift = 0;      // of the coordinates that are meant to the source's

  // Where coordinate x has the sums of its place's edges and inside. Never called: a copy of one level could be the linker's for all.
  struct Three {
    const int32_t *left, *inside, *right;
  };
  [[gnu::always_inline]] Three over(int64_t x, int64_t lanes) const {
    const int64_t last = (int64_t{1} << shift) - 1, at = x & last;
    const int32_t* pixel = data + (x >> shift) * count * lanes;
    const int32_t* middle = pixel + lanes;
    return {at == 0 ? pixel : middle, middle, at == last ? pixel + (count - 1) * lanes : middle};
  }
};

struct InnerLoops {
  const char* set;  // kernels' names begin with it

  GemmFunction (*gemm)(int64_t columns, int64_t segments, int64_t k, const Form& form);

  // Four rows of eight channels to [column][channel][row], in the form that `depthwise` multiplies; `twice`: of the next eight as well,
  // at out + next.
  void (*transpose_quads)(const int8_t* const (&rows)[4], ptrdiff_t step, int64_t columns, int8_t* out, bool twice, ptrdiff_t next);
  int8_t transposed_zero;
  int64_t depthwise_columns;  // outputs computed together: rows of columns are read as if the width were a multiple of it
  // quads: one for kernel 3, two for kernel 5; of a set whose transposed_zero is 0, one for that too
  DepthwiseFunction (*depthwise)(int64_t kernel, int64_t stride, int64_t quads, const Form& form);

  // Three places of each pixel of `rows`, or two, beyond whose ends there is nothing; `coarser` (without data: none) is added: the places
  // of a source with larger pixels, its shift that of these pixels. lanes: a multiple of 8.
  void (*sum_products)(const ProductRows& rows, int64_t pixels, int64_t lanes, int64_t places, const Places& coarser, int32_t* out);
  // Three places of each pixel to outputs [x][lane].
  void (*spread_places)(const Places& places, int64_t width, int64_t lanes, int32_t* out);

  // requant.h's, of n values; bounded: of products that are known to be numbers within +-kBound.
  void (*quantise)(const float* in, float inverse_scale, int64_t n, int8_t* out);
  void (*quantise_bounded)(const float* in, float inverse_scale, int64_t n, int8_t* out);
  // At times one off (mark_fast_int8): halves, and what one rounding instead of two makes of values next to them.
  void (*quantise_fast)(const float* in, float inverse_scale, int64_t n, int8_t* out);
  float (*largest_magnitude)(const float* values, int64_t n);  // dynamic_int8.h's
};

}  // namespace edgeocr::kernels::int8
