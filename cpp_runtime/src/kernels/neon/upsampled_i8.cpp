// Sums of products for int8 convolutions over upsampled maps.
#include <arm_neon.h>

#include "kernels/neon/inner_loops_i8.h"

namespace edgeocr::kernels::neon {

using int8::Places;
using int8::ProductRows;

namespace {

constexpr int kVectors = 2;  // of lanes that are taken through a row together

template <int Count, bool Added>
void sum_places(const ProductRows& rows, int64_t pixels, int64_t lanes, const Places& given, int32_t* out) {
  const Places coarser = given;
  const auto [top_step, middle_step, bottom_step] = rows.steps;
  for (int64_t lane = 0; lane < lanes; lane += 4 * kVectors) {
    const int32_t *top = rows.rows[0] + lane, *middle = rows.rows[1] + 3 * lanes + lane, *bottom = rows.rows[2] + 6 * lanes + lane;
    int32x4_t before[kVectors] = {}, unfinished[kVectors] = {};  // the pixel before: its left sum, its right edge without this pixel
    int32_t nowhere[4 * kVectors];
    int32_t *edge = nowhere, *to = out + lane;  // edge: where the pixel before wants its right edge
    for (int64_t x = 0; x < pixels; x++, top += top_step, middle += middle_step, bottom += bottom_step, to += Count * lanes) {
      [[maybe_unused]] Places::Three added{};
      if constexpr (Added) added = coarser.over(x, lanes);
#pragma clang loop unroll(full)
      for (int v = 0; v < kVectors; v++) {
        const auto sum = [&](int64_t column) __attribute__((always_inline)) {
          const int64_t i = column * lanes + 4 * v;
          return vaddq_s32(vaddq_s32(vld1q_s32(top + i), vld1q_s32(middle + i)), vld1q_s32(bottom + i));
        };
        const auto add = [&](int32x4_t value, const int32_t* addend)
                             __attribute__((always_inline)) { return Added ? vaddq_s32(value, vld1q_s32(addend + lane + 4 * v)) : value; };
        const int32x4_t left = sum(0), middle_sum = sum(1), right = sum(2), left_two = vaddq_s32(left, middle_sum);
        vst1q_s32(to + 4 * v, add(vaddq_s32(before[v], vaddq_s32(middle_sum, right)), added.left));
        if constexpr (Count == 3) vst1q_s32(to + lanes + 4 * v, add(vaddq_s32(left_two, right), added.inside));
        vst1q_s32(edge + 4 * v, vaddq_s32(unfinished[v], right));
        unfinished[v] = add(left_two, added.right);
        before[v] = left;
      }
      edge = to + (Count - 1) * lanes;
    }
    for (int v = 0; v < kVectors; v++) vst1q_s32(edge + 4 * v, unfinished[v]);
  }
}

}  // namespace

void sum_products(const ProductRows& rows, int64_t pixels, int64_t lanes, int64_t places, const Places& coarser, int32_t* out) {
  const bool added = coarser.data != nullptr;
  if (places == 2)
    return added ? sum_places<2, true>(rows, pixels, lanes, coarser, out) : sum_places<2, false>(rows, pixels, lanes, coarser, out);
  return added ? sum_places<3, true>(rows, pixels, lanes, coarser, out) : sum_places<3, false>(rows, pixels, lanes, coarser, out);
}

void spread_places(const Places& places, int64_t width, int64_t lanes, int32_t* out) {
  const int64_t last = (int64_t{1} << places.shift) - 1;
  for (int64_t x = 0; x < width; x++) {
    const int64_t at = x & last, place = at == 0 ? 0 : at == last ? 2 : 1;
    const int32_t* from = places.data + ((x >> places.shift) * 3 + place) * lanes;
    for (int64_t lane = 0; lane < lanes; lane += 4, out += 4) vst1q_s32(out, vld1q_s32(from + lane));
  }
}

}  // namespace edgeocr::kernels::neon
