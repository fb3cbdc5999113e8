// Sums of products for convolutions over upsampled int8 maps, and what brings fp32 maps to int8.
#if defined(__AVX512VNNI__)

#include "kernels/dynamic_int8.h"
#include "kernels/x86/inner_requantise.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

using int8::Places;
using int8::ProductRows;

namespace {

using generic::i32x8;

template <int Sources> inline void gather(const Places* sources, const int32_t* first, int64_t width, int64_t lanes, int32_t* starts) {
  for (int64_t x = 0; x < width; x++, starts += lanes) {
    const int32_t* from[Sources];
#pragma clang loop unroll(full)
    for (int s = 0; s < Sources; s++) {
      const int64_t last = (int64_t{1} << sources[s].shift) - 1, at = x & last;
      const int64_t place = at == 0 ? 0 : at == last ? 2 : 1;
      from[s] = sources[s].data + ((x >> sources[s].shift) * 3 + place) * lanes;
    }
    for (int64_t i = 0; i < lanes; i += kLanes) {
      auto sum = load<i32x8>(first + i);
#pragma clang loop unroll(full)
      for (int s = 0; s < Sources; s++) sum += load<i32x8>(from[s] + i);
      store(starts + i, sum);
    }
  }
}

}  // namespace

void sum_product_rows(const ProductRows& rows, int64_t pixels, int64_t lanes, int32_t* out) {
  const int64_t n = 3 * lanes;
  for (int64_t x = 0; x < pixels; x++, out += n) {
    const int32_t* top = rows.rows[0] + x * rows.steps[0];
    const int32_t* middle = rows.rows[1] + x * rows.steps[1] + n;
    const int32_t* bottom = rows.rows[2] + x * rows.steps[2] + 2 * n;
    for (int64_t i = 0; i < n; i += kLanes) store(out + i, load<i32x8>(top + i) + load<i32x8>(middle + i) + load<i32x8>(bottom + i));
  }
}

void sum_product_columns(const int32_t* in, int64_t pixels, int64_t lanes, int32_t* out) {
  for (int64_t x = 0; x < pixels; x++, in += 3 * lanes, out += 3 * lanes)
    for (int64_t i = 0; i < lanes; i += kLanes) {
      const int32_t* own = in + 3 * lanes + i;
      const auto left = load<i32x8>(own), middle = load<i32x8>(own + lanes), right = load<i32x8>(own + 2 * lanes);
      store(out + i, middle + right + load<i32x8>(in + i));
      store(out + lanes + i, left + middle + right);
      store(out + 2 * lanes + i, left + middle + load<i32x8>(own + 5 * lanes));
    }
}

void gather_places(const Places* sources, int64_t count, const int32_t* first, int64_t width, int64_t lanes, int32_t* starts) {
  switch (count) {
    case 1: return gather<1>(sources, first, width, lanes, starts);
    case 2: return gather<2>(sources, first, width, lanes, starts);
    default: return gather<3>(sources, first, width, lanes, starts);
  }
}

void quantise_f32(const float* in, float inverse_scale, int64_t n, int8_t* out) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const int64_t bytes = _mm_cvtsi128_si64(round_to_int8(load<f32x8>(in + i) * inverse_scale, -127));
    __builtin_memcpy(out + i, &bytes, sizeof bytes);
  }
  for (; i < n; i++) out[i] = kernels::quantise(in[i], inverse_scale);
}

float largest_magnitude_f32(const float* values, int64_t n) {
  f32x8 largest = 0.0f;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const auto v = load<f32x8>(values + i);
    largest = maximum(maximum(v, -v), largest);
  }
  float lanes[kLanes];
  store(lanes, largest);
  const float first = kernels::largest_magnitude(lanes, kLanes), rest = kernels::largest_magnitude(values + i, n - i);
  return rest > first ? rest : first;
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86

#endif
