// Winograd's F(4x4, 3x3) with the points 0, 1, -1, 2, -2 and infinity: the transforms of inputs and outputs.
#include "kernels/x86/inner_isa.h"

namespace edgeocr::kernels::x86 {
inline namespace EDGEOCR_ISA {

namespace {

constexpr int kSize = 6, kTile = 4;

inline void transform_input(const f32x8 (&d)[kSize], f32x8 (&t)[kSize]) {
  const f32x8 a = multiply_add(d[4], d[2], f32x8(-4.0f)), b = multiply_add(d[3], d[1], f32x8(-4.0f));
  const f32x8 c = d[4] - d[2], e = (d[3] - d[1]) * 2.0f;
  t[0] = multiply_add(multiply_add(d[4], d[2], f32x8(-5.0f)), d[0], f32x8(4.0f));
  t[1] = a + b;
  t[2] = a - b;
  t[3] = c + e;
  t[4] = c - e;
  t[5] = multiply_add(multiply_add(d[5], d[3], f32x8(-5.0f)), d[1], f32x8(4.0f));
}

inline void transform_output(const f32x8 (&m)[kSize], f32x8 (&o)[kTile]) {
  const f32x8 a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], e = m[3] - m[4];
  o[0] = (m[0] + a) + c;
  o[1] = multiply_add(b, e, f32x8(2.0f));
  o[2] = multiply_add(a, c, f32x8(4.0f));
  o[3] = multiply_add(b, e, f32x8(8.0f)) + m[5];
}

template <FormF32::Act A>
inline void finish(const f32x8 (&rows)[kTile][kSize], const WinogradOutputF32& t, int64_t c, const ConstantsF32& constants) {
  const f32x8 bias = load<f32x8>(constants.bias + c);
  for (int64_t i = 0; i < t.rows; i++) {
    f32x8 sums[kTile];
    transform_output(rows[i], sums);
    const float* start = t.start == nullptr ? nullptr : t.start + i * t.row_step + c;
    float* out = t.out + i * t.row_step + c;
#pragma clang loop unroll(full)
    for (int j = 0; j < kTile; j++) {
      if (j >= t.columns) break;
      const f32x8 sum = start == nullptr ? sums[j] : sums[j] + load<f32x8>(start + j * t.lanes);
      store(out + j * t.lanes, activate_sum<A>(sum + bias, constants));
    }
  }
}

}  // namespace

void winograd_input_f32(const WinogradInputF32& tile) {
  for (int64_t c = 0; c < tile.lanes; c += kLanes) {
    f32x8 rows[kSize][kSize];
#pragma clang loop unroll(full)
    for (int j = 0; j < kSize; j++) {
      f32x8 d[kSize], t[kSize];
#pragma clang loop unroll(full)
      for (int i = 0; i < kSize; i++) d[i] = load<f32x8>(tile.rows[i] + j * tile.pixel_step + c);
      transform_input(d, t);
#pragma clang loop unroll(full)
      for (int i = 0; i < kSize; i++) rows[i][j] = t[i];
    }
    float* out = tile.transformed + c;
#pragma clang loop unroll(full)
    for (int i = 0; i < kSize; i++) {
      f32x8 t[kSize];
      transform_input(rows[i], t);
#pragma clang loop unroll(full)
      for (int j = 0; j < kSize; j++) store(out + (i * kSize + j) * tile.element_step, t[j]);
    }
  }
}

void winograd_output_f32(const WinogradOutputF32& tile, const FormF32& form, const ConstantsF32& constants) {
  for (int64_t c = 0; c < tile.lanes; c += kLanes) {
    f32x8 rows[kTile][kSize];
#pragma clang loop unroll(full)
    for (int j = 0; j < kSize; j++) {
      f32x8 m[kSize], t[kTile];
#pragma clang loop unroll(full)
      for (int i = 0; i < kSize; i++) m[i] = load<f32x8>(tile.products + (i * kSize + j) * tile.element_step + c);
      transform_output(m, t);
#pragma clang loop unroll(full)
      for (int i = 0; i < kTile; i++) rows[i][j] = t[i];
    }
    using Act = FormF32::Act;
    switch (form.act) {
      case Act::none: finish<Act::none>(rows, tile, c, constants); break;
      case Act::relu: finish<Act::relu>(rows, tile, c, constants); break;
      case Act::hard_swish: finish<Act::hard_swish>(rows, tile, c, constants); break;
    }
  }
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::x86
