// Sums of products for convolutions over upsampled int8 maps, and what brings fp32 maps to int8.
#if defined(__AVX512VNNI__)

#include "kernels/dynamic_int8.h"
#include "kernels/x86/inner_requantise.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

using int8::Places;
using int8::ProductRows;

namespace { using generic::i32x8; }  // namespace

void sum_products(const ProductRows& rows, int64_t pixels, int64_t lanes, int64_t places, const Places& coarser, int32_t* out) {
  for (int64_t lane = 0; lane < lanes; lane += kLanes) {
    const int32_t *top = rows.rows[0] + lane, *middle = rows.rows[1] + 3 * lanes + lane, *bottom = rows.rows[2] + 6 * lanes + lane;
    i32x8 before{}, unfinished{};  // the pixel before: its left sum, its right edge without this pixel
    int32_t nowhere[kLanes];
    int32_t *edge = nowhere, *to = out + lane;  // edge: where the pixel before wants its right edge
    for (int64_t x = 0; x < pixels; x++, top += rows.steps[0], middle += rows.steps[1], bottom += rows.steps[2], to += places * lanes) {
      const auto sum = [&](int64_t i) { return load<i32x8>(top + i) + load<i32x8>(middle + i) + load<i32x8>(bottom + i); };
      i32x8 add_left{}, add_inside{}, add_right{};
      if (coarser.data != nullptr) {
        const Places::Three added = coarser.over(x, lanes);
        add_left = load<i32x8>(added.left + lane);
        add_inside = load<i32x8>(added.inside + lane);
        add_right = load<i32x8>(added.right + lane);
      }
      const i32x8 left = sum(0), left_two = left + sum(lanes), right = sum(2 * lanes);
      store(to, before + (left_two - left) + right + add_left);
      if (places == 3) store(to + lanes, left_two + right + add_inside);
      store(edge, unfinished + right);
      unfinished = left_two + add_right;
      before = left;
      edge = to + (places - 1) * lanes;
    }
    store(edge, unfinished);
  }
}

void spread_places(const Places& places, int64_t width, int64_t lanes, int32_t* out) {
  for (int64_t x = 0; x < width; x++) {
    const int64_t last = (int64_t{1} << places.shift) - 1, at = x & last, place = at == 0 ? 0 : at == last ? 2 : 1;
    const int32_t* from = places.data + ((x >> places.shift) * 3 + place) * lanes;
    for (int64_t lane = 0; lane < lanes; lane += kLanes, out += kLanes) store(out, load<i32x8>(from + lane));
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
