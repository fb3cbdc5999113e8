// Depthwise int8 convolutions by SDOT: two vectors are eight channels times four rows. Sums of up to 25 products are never wide.
#include "kernels/neon/inner_loops_i8.h"
#include "kernels/neon/requantise.h"

namespace edgeocr::kernels::neon {

namespace {

using int8::DepthwiseFunction;
using int8::DepthwiseRow;

constexpr int64_t kChannels = 8;
constexpr int64_t kQuadBytes = 32;  // a column: [channel][row]

int8x16_t load_block(const int8_t* p) { return vcombine_s8(vld1_s8(p), vdup_n_s8(0)); }

// Two rows each, channel by channel, to four.
[[gnu::always_inline]] inline void interleave(int8x16_t ab, int8x16_t cd, int8_t* out) {
  const int16x8_t first = vreinterpretq_s16_s8(ab), second = vreinterpretq_s16_s8(cd);
  vst1q_s8(out, vreinterpretq_s8_s16(vzip1q_s16(first, second)));
  vst1q_s8(out + 16, vreinterpretq_s8_s16(vzip2q_s16(first, second)));
}

[[gnu::always_inline]] inline void store_both(int8x16_t bytes, std::byte* first, std::byte* second) {
  asm volatile("" : "+w"(bytes));  // else what is done for the second alone moves behind a branch, which would part the block
  vst1_s8(reinterpret_cast<int8_t*>(first), vget_low_s8(bytes));
  vst1_s8(reinterpret_cast<int8_t*>(second), vget_high_s8(bytes));
}

template <Form F>
[[gnu::always_inline]] inline void store_pair(const int32x4_t (&sums)[2][2], const FinishConstants& constants, std::byte* first,
                                              std::byte* second) {
  if constexpr (F.store == Store::short_steps) {
    const float* bias = unknown_address(constants.bias);
    const int16x8_t low = short_step(sums[0][0], sums[0][1], constants.scale, bias, constants);
    const int16x8_t high = short_step(sums[1][0], sums[1][1], constants.scale, unknown_address(bias), constants);
    store_both(vqmovn_high_s16(vqmovn_s16(low), high), first, second);
    return;
  }
  float32x4_t v[4];
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    const ptrdiff_t at = i % 2 * 4;
    const int32x4_t sum = sums[i / 2][i % 2];
    const float32x4_t scale = vld1q_f32(constants.scale + at);
    const float* bias = unknown_address(constants.bias) + at;
    if constexpr (F.store == Store::steps) v[i] = step<F.function>(sum, scale, bias, constants);
    else v[i] = finish<F>(requantise<true>(sum, scale, bias), nullptr, constants);
  }
  if constexpr (F.store == Store::fp32) {
    store<F>({v[0], v[1]}, first, constants.low);
    store<F>({v[2], v[3]}, second, constants.low);
  } else {
    store_both(to_int8<F.store>(v[0], v[1], v[2], v[3], constants.low), first, second);
  }
}

template <int Kernel, int Stride, int Quads, Form F> void compute_row(const DepthwiseRow& given, const FinishConstants& given_constants) {
  // Outputs that share the loads of columns; more pay off where there is much to do after the sums.
  constexpr int kColumns = Kernel == 5 && F.function == Function::hard_swish ? kDepthwiseColumns : 2;
  const DepthwiseRow row = given;
  const FinishConstants constants = given_constants;
  int8x16_t weights[Quads][Kernel][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < Quads * Kernel * 2; i++) weights[i / 2 / Kernel][i / 2 % Kernel][i % 2] = vld1q_s8(row.weights + 16 * i);
  const int8_t* columns = row.columns;
  std::byte* out = row.out;
  for (int64_t x = 0; x < row.width; x += kColumns, columns += kColumns * Stride * kQuadBytes, out += kColumns * row.out_step) {
    int32x4_t sums[kColumns][2];
#pragma clang loop unroll(full)
    for (int i = 0; i < kColumns; i++) {
      const int32_t* start = unknown_address(row.start);
      sums[i][0] = vld1q_s32(start);
      sums[i][1] = vld1q_s32(start + 4);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < Quads; q++)
#pragma clang loop unroll(full)
      for (int k = 0; k < Kernel + Stride * (kColumns - 1); k++) {
        const int8_t* column = columns + q * row.quad_step + k * kQuadBytes;
        const int8x16_t low = vld1q_s8(column), high = vld1q_s8(column + 16);
#pragma clang loop unroll(full)
        for (int i = 0; i < kColumns; i++) {
          const int tap = k - i * Stride;
          if (tap < 0 || tap >= Kernel) continue;
          sums[i][0] = vdotq_s32(sums[i][0], low, weights[q][tap][0]);
          sums[i][1] = vdotq_s32(sums[i][1], high, weights[q][tap][1]);
          // Keeps the compiler from computing one sum after the other, with everything spilled.
          asm volatile("" : "+w"(sums[i][0]), "+w"(sums[i][1]));
        }
      }
    // Outputs beyond the row go to a spare pixel: selects, where branches would part the block.
    alignas(16) std::byte spare[kChannels * sizeof(float)];
#pragma clang loop unroll(full)
    for (int i = 0; i < kColumns; i += 2) {
      std::byte* first = x + i < row.width ? out + i * row.out_step : spare;
      std::byte* second = x + i + 1 < row.width ? out + (i + 1) * row.out_step : spare;
      store_pair<F>({{sums[i][0], sums[i][1]}, {sums[i + 1][0], sums[i + 1][1]}}, constants, first, second);
    }
  }
}

template <Form F> DepthwiseFunction choose_window(int64_t kernel, int64_t stride, int64_t quads) {
  if (kernel == 3) return stride == 1 ? compute_row<3, 1, 1, F> : compute_row<3, 2, 1, F>;
  if (quads == 1) return stride == 1 ? compute_row<5, 1, 1, F> : compute_row<5, 2, 1, F>;
  return stride == 1 ? compute_row<5, 1, 2, F> : compute_row<5, 2, 2, F>;
}

}  // namespace

void transpose_quads(const int8_t* const (&rows)[4], ptrdiff_t step, int64_t columns, int8_t* out, bool twice, ptrdiff_t next) {
  const auto [a, b, c, d] = rows;
  int64_t x = 0;
  const auto transpose_pairs = [&](int64_t end, int64_t columns_each, ptrdiff_t second) __attribute__((always_inline)) {
    for (ptrdiff_t at = x * step; x < end; x += columns_each, at += columns_each * step, out += columns_each * kQuadBytes) {
      const int8x16_t va = vld1q_s8(a + at), vb = vld1q_s8(b + at), vc = vld1q_s8(c + at), vd = vld1q_s8(d + at);
      interleave(vzip1q_s8(va, vb), vzip1q_s8(vc, vd), out);
      interleave(vzip2q_s8(va, vb), vzip2q_s8(vc, vd), out + second);
    }
  };
  if (twice) return transpose_pairs(columns, 1, next);
  if (step == kChannels) transpose_pairs(columns - 1, 2, kQuadBytes);
  for (; x < columns; x++, out += kQuadBytes) {
    const ptrdiff_t at = x * step;
    interleave(vzip1q_s8(load_block(a + at), load_block(b + at)), vzip1q_s8(load_block(c + at), load_block(d + at)), out);
  }
}

DepthwiseFunction depthwise_i8(int64_t kernel, int64_t stride, int64_t quads, const Form& form) {
  const bool hard_swish = form.function == Function::hard_swish;
  switch (form.store) {
    case Store::short_steps: return choose_window<Form{Function::hard_swish, Store::short_steps}>(kernel, stride, quads);
    case Store::steps:
      return hard_swish ? choose_window<Form{Function::hard_swish, Store::steps}>(kernel, stride, quads)
                        : choose_window<Form{Function::linear, Store::steps}>(kernel, stride, quads);
    case Store::calib:
    case Store::bounded_calib:  // steps as a rule
      return hard_swish ? choose_window<Form{Function::hard_swish, Store::calib}>(kernel, stride, quads)
                        : choose_window<Form{Function::linear, Store::calib}>(kernel, stride, quads);
    default:
      return hard_swish ? choose_window<Form{Function::hard_swish, Store::fp32}>(kernel, stride, quads)
                        : choose_window<Form{Function::linear, Store::fp32}>(kernel, stride, quads);
  }
}

}  // namespace edgeocr::kernels::neon
