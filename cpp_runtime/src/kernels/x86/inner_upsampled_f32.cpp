// What floating/upsampled_source.h does around its products.
#include "kernels/x86/inner_isa.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

using ExpandedRow = floating::ExpandedRow<float>;

template <bool Boundary> inline void expand(const ExpandedRow& row) {
  const int64_t n = row.lanes;
  for (int64_t x = 0; x < row.width; x++) {
    const float *plain = row.plain + x * n, *left = row.along + x * 2 * n, *right = row.along + (x + 1) * 2 * n + n;
    float* out = row.out + x * 3 * n;
    for (int64_t i = 0; i < n; i += kLanes) {
      f32x8 middle = load<f32x8>(plain + i), first = load<f32x8>(left + i), last = load<f32x8>(right + i);
      if constexpr (Boundary) {
        middle += load<f32x8>(row.between + x * 2 * n + i);
        first += load<f32x8>(row.both + x * 4 * n + i);
        last += load<f32x8>(row.both + (x + 1) * 4 * n + n + i);
      }
      store(out + i, middle + first);
      store(out + n + i, middle);
      store(out + 2 * n + i, middle + last);
    }
  }
}

template <bool Add> inline void spread(const float* expanded, int64_t width, int64_t factor, int64_t lanes, float* sums) {
  for (int64_t x = 0; x < width; x++, expanded += 3 * lanes)
    for (int64_t i = 0; i < factor; i++, sums += lanes) {
      const float* from = expanded + (i == 0 ? 0 : i == factor - 1 ? 2 : 1) * lanes;
      for (int64_t n = 0; n < lanes; n += kLanes) {
        const f32x8 value = load<f32x8>(from + n);
        store(sums + n, Add ? value + load<f32x8>(sums + n) : value);
      }
    }
}

}  // namespace

void subtract_f32(const float* a, const float* b, int64_t n, float* out) {
  const f32x8 zero = 0.0f;
  for (int64_t i = 0; i < n; i += kLanes)
    store(out + i, (a == nullptr ? zero : load<f32x8>(a + i)) - (b == nullptr ? zero : load<f32x8>(b + i)));
}

void expand_f32(const ExpandedRow& row) { return row.boundary ? expand<true>(row) : expand<false>(row); }

void spread_f32(const float* expanded, int64_t width, int64_t factor, int64_t lanes, bool add, float* sums) {
  return add ? spread<true>(expanded, width, factor, lanes, sums) : spread<false>(expanded, width, factor, lanes, sums);
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86
