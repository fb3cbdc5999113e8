// Depthwise convolution, one output row: eight channels at a time, the taps in order (ky, kx), those outside skipped.
#include "kernels/generic/loops_isa.h"
#include "kernels/generic/simd.h"

namespace edgeocr::kernels::generic {
inline namespace EDGEOCR_ISA {

namespace {

// First tap at or after which the input coordinate start + tap * dilation is inside [0, size), and the first beyond.
struct TapRange {
  int64_t begin, end;
};
inline TapRange taps_inside(int64_t start, int64_t dilation, int64_t taps, int64_t size) {
  const int64_t begin = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const int64_t end = start >= size ? 0 : (size - start + dilation - 1) / dilation;
  return {begin, end < taps ? end : taps};
}

inline f32x8 tap(f32x8 sum, const float* x, const float* w) { return multiply_add(sum, load<f32x8>(x), load<f32x8>(w)); }
inline float tap(float sum, float x, float w) { return multiply_add(sum, x, w); }
inline i32x8 tap(i32x8 sum, const int8_t* x, const int16_t* w) {
  // The product of two int8 fits 16 bits.
  const i16x8 product = __builtin_convertvector(load<i8x8>(x), i16x8) * load<i16x8>(w);
  return sum + __builtin_convertvector(product, i32x8);
}
inline int32_t tap(int32_t sum, int8_t x, int16_t w) { return sum + static_cast<int32_t>(x) * w; }

template <class In, class Weight, class Sum, class SumVector>
inline void row_sums(const DepthwiseRow<In>& r, const Weight* w, Sum* out) {
  const TapRange rows = taps_inside(r.top, r.dilation_h, r.kernel_h, r.in_h);
  const ptrdiff_t tap_step = r.dilation_w * r.pixel_stride;
  for (int64_t x = 0; x < r.out_w; x++, out += r.channels) {
    const int64_t left = r.left + x * r.stride_w;
    const TapRange columns = taps_inside(left, r.dilation_w, r.kernel_w, r.in_w);
    const In* corner = r.in + r.top * r.row_stride + left * r.pixel_stride;
    const auto first = [&](int64_t ky) { return corner + ky * r.dilation_h * r.row_stride; };
    int64_t c = 0;
    for (; c + 8 <= r.channels; c += 8) {
      SumVector sum = 0;
      for (int64_t ky = rows.begin; ky < rows.end; ky++)
        for (int64_t kx = columns.begin; kx < columns.end; kx++)
          sum = tap(sum, first(ky) + kx * tap_step + c, w + (ky * r.kernel_w + kx) * r.channels + c);
      store(out + c, sum);
    }
    for (; c < r.channels; c++) {
      Sum sum = 0;
      for (int64_t ky = rows.begin; ky < rows.end; ky++)
        for (int64_t kx = columns.begin; kx < columns.end; kx++)
          sum = tap(sum, first(ky)[kx * tap_step + c], w[(ky * r.kernel_w + kx) * r.channels + c]);
      out[c] = sum;
    }
  }
}

}  // namespace

void depthwise_f32(const DepthwiseRow<float>& row, const float* w, float* out) { row_sums<float, float, float, f32x8>(row, w, out); }

void depthwise_i8(const DepthwiseRow<int8_t>& row, const int16_t* w, int32_t* out) {
  row_sums<int8_t, int16_t, int32_t, i32x8>(row, w, out);
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::generic
