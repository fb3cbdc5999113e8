// Sums of products for int8 convolutions over upsampled maps.
#include <arm_neon.h>

#include <algorithm>

#include "kernels/neon/inner_loops_i8.h"

namespace edgeocr::kernels::neon {

using int8::Places;
using int8::ProductRows;

namespace {

template <int Sources> void gather(const Places* given, const int32_t* first, int64_t width, int64_t lanes, int32_t* starts) {
  Places sources[Sources];
  std::copy_n(given, Sources, sources);
  for (int64_t x = 0; x < width; x++, starts += lanes) {
    const int32_t* from[Sources];
#pragma clang loop unroll(full)
    for (int s = 0; s < Sources; s++) {
      const int64_t last = (int64_t{1} << sources[s].shift) - 1, at = x & last;
      const int64_t place = at == 0 ? 0 : at == last ? 2 : 1;
      from[s] = sources[s].data + ((x >> sources[s].shift) * 3 + place) * lanes;
    }
    for (int64_t block = 0; block < lanes; block += 8)
#pragma clang loop unroll(full)
      for (int64_t i = block; i < block + 8; i += 4) {
        int32x4_t sum = vld1q_s32(first + i);
#pragma clang loop unroll(full)
        for (int s = 0; s < Sources; s++) sum = vaddq_s32(sum, vld1q_s32(from[s] + i));
        vst1q_s32(starts + i, sum);
      }
  }
}

}  // namespace

void sum_product_rows(const ProductRows& rows, int64_t pixels, int64_t lanes, int32_t* out) {
  const auto [top_row, middle_row, bottom_row] = rows.rows;
  const auto [top_step, middle_step, bottom_step] = rows.steps;
  const int64_t n = 3 * lanes;
  for (int64_t x = 0; x < pixels; x++, out += n) {
    const int32_t *top = top_row + x * top_step, *middle = middle_row + x * middle_step + n, *bottom = bottom_row + x * bottom_step + 2 * n;
    for (int64_t block = 0; block < n; block += 24)
#pragma clang loop unroll(full)
      for (int64_t i = block; i < block + 24; i += 4)
        vst1q_s32(out + i, vaddq_s32(vaddq_s32(vld1q_s32(top + i), vld1q_s32(middle + i)), vld1q_s32(bottom + i)));
  }
}

void sum_product_columns(const int32_t* in, int64_t pixels, int64_t lanes, int32_t* out) {
  for (int64_t x = 0; x < pixels; x++, in += 3 * lanes, out += 3 * lanes)
    for (int64_t i = 0; i < lanes; i += 4) {
      const int32_t* own = in + 3 * lanes + i;
      const int32x4_t left = vld1q_s32(own), middle = vld1q_s32(own + lanes), right = vld1q_s32(own + 2 * lanes);
      vst1q_s32(out + i, vaddq_s32(vaddq_s32(middle, right), vld1q_s32(in + i)));
      vst1q_s32(out + lanes + i, vaddq_s32(vaddq_s32(left, middle), right));
      vst1q_s32(out + 2 * lanes + i, vaddq_s32(vaddq_s32(left, middle), vld1q_s32(own + 5 * lanes)));
    }
}

void gather_places(const Places* sources, int64_t count, const int32_t* first, int64_t width, int64_t lanes, int32_t* starts) {
  switch (count) {
    case 1: return gather<1>(sources, first, width, lanes, starts);
    case 2: return gather<2>(sources, first, width, lanes, starts);
    default: return gather<3>(sources, first, width, lanes, starts);
  }
}

}  // namespace edgeocr::kernels::neon
