// Rows of pixels times packed columns by SDOT: a register tile is 4 pixels x 24 or 16 columns, or 8 x 8.
#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "kernels/neon/inner_loops_i8.h"
#include "kernels/neon/requantise.h"

namespace edgeocr::kernels::neon {

namespace {

using int8::GemmFunction;
using int8::GemmRow;
using int8::GemmTile;

// Segments and bytes per segment that a tile is compiled for, so that the products are one straight block; {0, 0}: any.
struct Depth {
  int segments = 0, k = 0;
};

// k = 4 * Lanes of Pixels pixels.
template <int Pixels, int Vectors, int Lanes>
[[gnu::always_inline]] inline void multiply(int32x4_t (&sums)[Pixels][Vectors], const int8_t* in, ptrdiff_t step, const int8_t* weights) {
  int8x16_t x[Pixels];
#pragma clang loop unroll(full)
  for (int p = 0; p < Pixels; p++) {
    const int8_t* at = in + p * step;
    if constexpr (Lanes == 4) x[p] = vld1q_s8(at);
    if constexpr (Lanes == 2) x[p] = vcombine_s8(vld1_s8(at), vdup_n_s8(0));
    if constexpr (Lanes == 1) x[p] = vreinterpretq_s8_s32(vld1q_dup_s32(reinterpret_cast<const int32_t*>(at)));
  }
  const auto lane = [&]<int Lane>() __attribute__((always_inline)) {
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) {
      const int8x16_t w = vld1q_s8(weights + (Lane * Vectors + v) * 16);
#pragma clang loop unroll(full)
      for (int p = 0; p < Pixels; p++) sums[p][v] = vdotq_laneq_s32(sums[p][v], w, x[p], Lane);
    }
  };
  lane.template operator()<0>();
  if constexpr (Lanes > 1) lane.template operator()<1>();
  if constexpr (Lanes > 2) {
    lane.template operator()<2>();
    lane.template operator()<3>();
  }
}

// Keeps the compiler from computing one sum after the other through a straight block, with all weights spilled.
template <int Pixels, int Vectors> [[gnu::always_inline]] inline void fence(int32x4_t (&sums)[Pixels][Vectors]) {
#pragma clang loop unroll(full)
  for (int p = 0; p < Pixels; p++)
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) asm volatile("" : "+w"(sums[p][v]));
  asm volatile("" ::: "memory");
}

// One segment; K > 0: of a known length.
template <int Pixels, int Vectors, int K>
[[gnu::always_inline]] inline const int8_t* multiply_segment(int32x4_t (&sums)[Pixels][Vectors], const int8_t* in, ptrdiff_t step,
                                                             int64_t k, const int8_t* weights) {
  constexpr ptrdiff_t kLane = 16 * Vectors;  // bytes of weights per 4 of k
  if constexpr (K > 0) {
#pragma clang loop unroll(full)
    for (int i = 0; i + 16 <= K; i += 16) multiply<Pixels, Vectors, 4>(sums, in + i, step, weights + i / 4 * kLane);
    if constexpr (K % 16 >= 8) multiply<Pixels, Vectors, 2>(sums, in + K / 16 * 16, step, weights + K / 16 * 4 * kLane);
    if constexpr (K % 8 == 4) multiply<Pixels, Vectors, 1>(sums, in + K / 8 * 8, step, weights + K / 8 * 2 * kLane);
    return weights + K / 4 * kLane;
  } else {
#pragma clang loop unroll(disable)
    for (; k >= 16; k -= 16, in += 16, weights += 4 * kLane) multiply<Pixels, Vectors, 4>(sums, in, step, weights);
    if (k >= 8) {
      multiply<Pixels, Vectors, 2>(sums, in, step, weights);
      k -= 8, in += 8, weights += 2 * kLane;
    }
    if (k > 0) {
      multiply<Pixels, Vectors, 1>(sums, in, step, weights);
      weights += kLane;
    }
    return weights;
  }
}

// Pixels x .. x + Pixels - 1 of a row by 4 * Vectors columns.
template <int Pixels, int Vectors, Depth D, Form F, bool Biased>
[[gnu::always_inline]] inline void compute_tile(const GemmRow& row, int64_t x, const GemmTile& tile, const FinishConstants& constants) {
  int32x4_t sums[Pixels][Vectors];
  // Pointers that go from pixel to pixel by additions: a 64-bit multiplication for each of them takes longer than a small tile.
  const int32_t* start = row.start + x * row.start_step;
  std::byte* out = row.out + x * row.out_step;
#pragma clang loop unroll(full)
  for (int p = 0; p < Pixels; p++, start += row.start_step) {
    start = unknown_address(start);
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) sums[p][v] = vld1q_s32(start + 4 * v);
  }
  fence(sums);
  const int8_t* weights = unknown_address(tile.weights);  // else the weights move out of the loop over the pixels, and are spilled
  const ptrdiff_t offset = x * row.pixel_step;
  if constexpr (D.segments > 0) {
#pragma clang loop unroll(full)
    for (size_t s = 0; s < D.segments; s++)
      weights = multiply_segment<Pixels, Vectors, D.k>(sums, unknown_address(row.segments[s] + offset), row.pixel_step, tile.k, weights);
  } else {
#pragma clang loop unroll(disable)
    for (size_t s = 0; s < static_cast<size_t>(tile.segments); s++)
      weights = multiply_segment<Pixels, Vectors, 0>(sums, unknown_address(row.segments[s] + offset), row.pixel_step, tile.k, weights);
  }
  fence(sums);
  if constexpr (F.store == Store::sums) {
#pragma clang loop unroll(full)
    for (int p = 0; p < Pixels; p++, out = unknown_address(out + row.out_step))
#pragma clang loop unroll(full)
      for (int v = 0; v < Vectors; v++) vst1q_s32(reinterpret_cast<int32_t*>(out) + 4 * v, sums[p][v]);
  } else if constexpr (F.store == Store::short_steps) {
#pragma clang loop unroll(full)
    for (int p = 0; p < Pixels; p++, out = unknown_address(out + row.out_step)) {
      const float *scale = unknown_address(constants.scale), *offset = unknown_address(constants.bias);
      int16x8_t values[Vectors / 2];
#pragma clang loop unroll(full)
      for (int v = 0; v < Vectors; v += 2) values[v / 2] = short_step(sums[p][v], sums[p][v + 1], scale + 4 * v, offset + 4 * v, constants);
      store_narrowed(values, reinterpret_cast<int8_t*>(out));
    }
  } else if constexpr (F.store == Store::steps) {
#pragma clang loop unroll(full)
    for (int p = 0; p < Pixels; p++, out = unknown_address(out + row.out_step)) {
      const float *scale = unknown_address(constants.scale), *offset = unknown_address(constants.bias);
      float32x4_t values[Vectors];
#pragma clang loop unroll(full)
      for (int v = 0; v < Vectors; v++) values[v] = step<F.function>(sums[p][v], vld1q_f32(scale + 4 * v), offset + 4 * v, constants);
      store<F>(values, out, constants.low);
    }
  } else {
    float32x4_t scale[Vectors];
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) scale[v] = vld1q_f32(constants.scale + 4 * v);
    const float* residual = F.function == Function::residual ? row.residual + (x >> row.residual_shift) * row.residual_step : nullptr;
    [[maybe_unused]] int8_t* second = row.second + x * row.second_step;
    const float* own_scale = F.function == Function::by_row ? row.scale + x * row.scale_step : nullptr;
#pragma clang loop unroll(full)
    for (int p = 0; p < Pixels; p++, out = unknown_address(out + row.out_step)) {
      const float* bias = unknown_address(constants.bias);
      float32x4_t values[Vectors];
      const float32x4_t factor = F.function == Function::by_row ? vld1q_dup_f32(own_scale + p * row.scale_step) : vdupq_n_f32(1);
#pragma clang loop unroll(full)
      for (int v = 0; v < Vectors; v++) {
        const float32x4_t factors = F.function == Function::by_row ? vmulq_f32(scale[v], factor) : scale[v];
        const float32x4_t value = F.fast ? vfmaq_f32(vld1q_f32(bias + 4 * v), vreinterpretq_f32_s32(sums[p][v]), factors)
                                         : requantise<Biased>(sums[p][v], factors, bias + 4 * v);
        values[v] = finish<F>(value, residual + 4 * v, constants);
      }
      if constexpr (stores_int8(F.store) && (F.fast || F.second))
        store_scaled<F.fast>(values, constants.calib, reinterpret_cast<int8_t*>(out), constants.low);
      else store<F>(values, out, constants.low);
      if constexpr (F.second) {
        store_scaled<F.fast>(values, constants.second_calib, second, constants.low);
        second = unknown_address(second + row.second_step);
      }
      if constexpr (F.function == Function::residual) {
        const bool next = (x + p + 1) >> row.residual_shift != (x + p) >> row.residual_shift;
        residual = unknown_address(residual + (next ? row.residual_step : 0));
      }
    }
  }
}

template <int Pixels, int Vectors, Depth D, Form F, bool Biased>
void compute_row(const GemmRow& given, const GemmTile& given_tile, const FinishConstants& given_constants) {
  const GemmRow row = given;
  const GemmTile tile = given_tile;
  const FinishConstants constants = given_constants;
  if (row.pixels >= Pixels) {
    // The last tile may overlap the one before.
    for (int64_t x = 0; x < row.pixels; x += Pixels)
      compute_tile<Pixels, Vectors, D, F, Biased>(row, std::min(x, row.pixels - Pixels), tile, constants);
    return;
  }
  // Fewer pixels than a tile has: each of them as all pixels of a tile.
  for (int64_t x = 0; x < row.pixels; x++) {
    GemmRow one = row;
    for (const int8_t*& segment : one.segments) segment += x * row.pixel_step;
    one.start += x * row.start_step;
    one.out += x * row.out_step;
    one.residual += (x >> row.residual_shift) * row.residual_step;
    one.second += x * row.second_step;
    one.scale += x * row.scale_step;
    one.pixel_step = one.start_step = one.out_step = one.second_step = one.residual_step = one.scale_step = 0;
    one.pixels = Pixels;
    compute_row<Pixels, Vectors, D, F, Biased>(one, tile, constants);
  }
}

// Depths that have code of their own where the tile ends in a form: what the small layers of known nets have.
constexpr Depth kAny{};
constexpr Depth kStepDepths[] = {{1, 8}, {1, 16}, {1, 24}, {3, 12}}, kResidualDepths[] = {{1, 8}, {1, 24}}, kSumDepths[] = {{1, 24}},
                kFirstDepths[] = {{3, 12}};
template <Form F> constexpr std::span<const Depth> depths() {
  if (F.store == Store::steps || F.store == Store::short_steps) return kStepDepths;
  if (F.store == Store::sums) return kSumDepths;
  if (F.function == Function::residual && F.store != Store::calib) return kResidualDepths;
  if (F.function == Function::hard_swish && F.store == Store::fp32) return kFirstDepths;
  return {};
}

}  // namespace

GemmFunction gemm_i8(int64_t columns, int64_t segments, int64_t k, const Form& form) {
  const auto with_tile = [&]<Form F, int Pixels, int Vectors>() -> GemmFunction {
    if constexpr (F.store != Store::steps && F.store != Store::short_steps && F.store != Store::sums && !F.fast && !F.second)
      if (form.wide) return compute_row<Pixels, Vectors, kAny, F, false>;
    GemmFunction found = compute_row<Pixels, Vectors, kAny, F, true>;
    const auto among = [&]<size_t... I>(std::index_sequence<I...>) {
      const auto is = [&](Depth depth) { return depth.segments == segments && depth.k == k; };
      ((is(depths<F>()[I]) ? void(found = compute_row<Pixels, Vectors, depths<F>()[I], F, true>) : void()), ...);
    };
    among(std::make_index_sequence<depths<F>().size()>());
    return found;
  };
  const auto with_form = [&]<Form F>() -> GemmFunction {
    if (columns == 24) return with_tile.template operator()<F, 4, 6>();
    if (columns == 16) return with_tile.template operator()<F, 4, 4>();
    return with_tile.template operator()<F, 8, 2>();
  };
  if (form.store == Store::sums) return with_form.template operator()<Form{Function::linear, Store::sums}>();
  // Where results may be fast or have second ones.
  const auto with_ways = [&]<Function F, Store S>() {
    if (form.fast && form.second) return with_form.template operator()<Form{.function = F, .store = S, .fast = true, .second = true}>();
    if (form.fast) return with_form.template operator()<Form{.function = F, .store = S, .fast = true}>();
    if (form.second) return with_form.template operator()<Form{.function = F, .store = S, .second = true}>();
    return with_form.template operator()<Form{F, S}>();
  };
  switch (form.function) {
    case Function::linear:
      if (form.store == Store::steps) return with_form.template operator()<Form{Function::linear, Store::steps}>();
      if (form.store == Store::bounded_calib) return with_form.template operator()<Form{Function::linear, Store::bounded_calib}>();
      if (form.store == Store::calib) return with_form.template operator()<Form{Function::linear, Store::calib}>();
      if (form.store == Store::fp16) {
        if (form.fast) return with_form.template operator()<Form{.function = Function::linear, .store = Store::fp16, .fast = true}>();
        return with_form.template operator()<Form{Function::linear, Store::fp16}>();
      }
      return with_ways.template operator()<Function::linear, Store::fp32>();
    case Function::hard_swish:
      if (form.store == Store::short_steps) return with_form.template operator()<Form{Function::hard_swish, Store::short_steps}>();
      if (form.store == Store::steps) return with_form.template operator()<Form{Function::hard_swish, Store::steps}>();
      if (form.store == Store::bounded_calib) return with_form.template operator()<Form{Function::hard_swish, Store::bounded_calib}>();
      if (form.store == Store::calib) return with_form.template operator()<Form{Function::hard_swish, Store::calib}>();
      return with_ways.template operator()<Function::hard_swish, Store::fp32>();
    case Function::residual:
      if (form.store == Store::bounded_calib) return with_ways.template operator()<Function::residual, Store::bounded_calib>();
      if (form.store == Store::calib) return with_form.template operator()<Form{Function::residual, Store::calib}>();
      return with_ways.template operator()<Function::residual, Store::fp32>();
    case Function::by_row: return with_form.template operator()<Form{Function::by_row, Store::fp32}>();
  }
  std::abort();
}

}  // namespace edgeocr::kernels::neon
