// Depthwise convolution, one output row: eight channels at a time, the taps in order (ky, kx), those outside skipped.
#include "kernels/generic/loops_isa.h"
#include "kernels/generic/simd.h"

namespace edgeocr::kernels::generic {
inline namespace EDGEOCR_ISA {

namespace {

// Taps whose input coordinate start + tap * dilation is inside [0, size).
struct TapRange {
  int64_t begin, end;
};
inline TapRange taps_inside(int64_t start, int64_t dilation, int64_t taps, int64_t size) {
  if (start >= 0 && start + (taps - 1) * dilation < size) return {0, taps};
  const int64_t begin = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  int64_t end = start >= size ? 0 : (size - start + dilation - 1) / dilation;
  if (end > taps) end = taps;
  return {begin < end ? begin : end, end};
}

inline f32x8 tap(f32x8 sum, const float* x, const float* w) { return multiply_add(sum, load<f32x8>(x), load<f32x8>(w)); }
inline float tap(float sum, const float* x, const float* w) { return multiply_add(sum, *x, *w); }
inline i32x8 tap(i32x8 sum, const int8_t* x, const int16_t* w) {
  // The product of two int8 fits 16 bits.
  const i16x8 product = __builtin_convertvector(load<i8x8>(x), i16x8) * load<i16x8>(w);
  return sum + __builtin_convertvector(product, i32x8);
}
inline int32_t tap(int32_t sum, const int8_t* x, const int16_t* w) { return sum + static_cast<int32_t>(*x) * *w; }

// The taps inside the map for one output pixel: where the first one is, and how to step.
template <class In, class Weight> struct Taps {
  const In* in;
  const Weight* w;
  int64_t rows, columns;
  ptrdiff_t in_row, in_column, w_row, w_column;
};

template <class Sum, class In, class Weight> inline Sum sum_taps(const Taps<In, Weight>& t, int64_t channel) {
  Sum sum = 0;
  const In* in_row = t.in + channel;
  const Weight* w_row = t.w + channel;
  for (int64_t ky = 0; ky < t.rows; ky++, in_row += t.in_row, w_row += t.w_row) {
    const In* in = in_row;
    const Weight* w = w_row;
    for (int64_t kx = 0; kx < t.columns; kx++, in += t.in_column, w += t.w_column) sum = tap(sum, in, w);
  }
  return sum;
}

template <class Vector, class Sum, class In, class Weight> inline void row_sums(const DepthwiseRow<In>& r, const Weight* w, Sum* out) {
  const TapRange rows = taps_inside(r.top, r.dilation_h, r.kernel_h, r.in_h);
  Taps<In, Weight> t{};
  t.rows = rows.end - rows.begin;
  const int64_t row = r.in_w * r.channels;
  t.in_row = r.dilation_h * row;
  t.in_column = r.dilation_w * r.channels;
  t.w_row = r.kernel_w * r.channels;
  t.w_column = r.channels;
  for (int64_t x = 0; x < r.out_w; x++, out += r.channels) {
    const int64_t left = r.left + x * r.stride_w;
    const TapRange columns = taps_inside(left, r.dilation_w, r.kernel_w, r.in_w);
    t.columns = columns.end - columns.begin;
    t.in = r.in + r.top * row + left * r.channels + rows.begin * t.in_row + columns.begin * t.in_column;
    t.w = w + rows.begin * t.w_row + columns.begin * t.w_column;
    int64_t c = 0;
    for (; c + 8 <= r.channels; c += 8) store(out + c, sum_taps<Vector>(t, c));
    for (; c < r.channels; c++) out[c] = sum_taps<Sum>(t, c);
  }
}

}  // namespace

void depthwise_f32(const DepthwiseRow<float>& row, const float* w, float* out) { row_sums<f32x8>(row, w, out); }

void depthwise_i8(const DepthwiseRow<int8_t>& row, const int16_t* w, int32_t* out) { row_sums<i32x8>(row, w, out); }

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::generic
