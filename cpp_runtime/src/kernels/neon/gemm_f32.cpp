#include "kernels/neon/gemm_f32.h"

#include <algorithm>
#include <array>

namespace edgeocr::kernels::neon {

namespace {

constexpr std::array<float, GemmF32::kColumns> kZeros{};

template <int Lane, int P, int Q>
[[gnu::always_inline]] inline void multiply_lane(float32x4_t (&sum)[P][Q], const float32x4_t (&x)[P], const float*& w) {
#pragma clang loop unroll(full)
  for (int q = 0; q < Q; q++) {
    const float32x4_t weight = vld1q_f32(w + 4 * q);
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) sum[p][q] = vfmaq_laneq_f32(sum[p][q], weight, x[p], Lane);
  }
  w += 4 * Q;
}

}  // namespace

struct GemmTileF32 {
  // P pixels x Q vectors of columns at a time. The last tile is moved back so that it ends with the row.
  template <int P, int Q, FormF32 F, bool Rgb> static void run(const RowF32& row, const GemmF32::Tile& tile, const ConstantsF32& c) {
    const ptrdiff_t start_step = row.start == nullptr ? 0 : row.start_step;
    const float* start = row.start == nullptr ? kZeros.data() : row.start + tile.column;
    const float* bias = c.bias + tile.column;
    for (int64_t m = 0; m < row.pixels; m += P) {
      const int64_t first = std::min(m, row.pixels - P);
      float32x4_t sum[P][Q];
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++)
#pragma clang loop unroll(full)
        for (int q = 0; q < Q; q++) sum[p][q] = load_again(start + (first + p) * start_step + 4 * q);
      const float* w = tile.weights;
      for (int s = 0; s < tile.segments; s++) {
        const float* x = row.segments[static_cast<size_t>(s)] + first * row.pixel_step;
        for (int64_t k = 0; k < tile.k; k += 4) {
          float32x4_t values[P];
#pragma clang loop unroll(full)
          for (int p = 0; p < P; p++) values[p] = vld1q_f32(x + p * row.pixel_step + k);
          multiply_lane<0, P, Q>(sum, values, w);
          multiply_lane<1, P, Q>(sum, values, w);
          multiply_lane<2, P, Q>(sum, values, w);
          if constexpr (!Rgb) multiply_lane<3, P, Q>(sum, values, w);
        }
      }
      float* out = row.out + first * row.out_step + tile.column;
      float32x4_t biases[Q];
#pragma clang loop unroll(full)
      for (int q = 0; q < Q; q++) biases[q] = vld1q_f32(bias + 4 * q);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) {
        const float* residual = nullptr;
        if constexpr (F.residual) residual = row.residual + ((row.first + first + p) >> row.residual_shift) * row.residual_step + tile.column;
#pragma clang loop unroll(full)
        for (int q = 0; q < Q; q++) vst1q_f32(out + p * row.out_step + 4 * q, finish<F>(sum[p][q], biases[q], F.residual ? residual + 4 * q : nullptr, c));
      }
    }
  }

  template <int P, int Q, bool Rgb> static GemmF32::RowFunction pick(const FormF32& form) {
    using Act = FormF32::Act;
    switch (form.act) {
      case Act::none: return form.residual ? run<P, Q, FormF32{Act::none, true}, Rgb> : run<P, Q, FormF32{Act::none, false}, Rgb>;
      case Act::relu: return form.residual ? run<P, Q, FormF32{Act::relu, true}, Rgb> : run<P, Q, FormF32{Act::relu, false}, Rgb>;
      case Act::hard_swish: break;
    }
    return form.residual ? run<P, Q, FormF32{Act::hard_swish, true}, Rgb> : run<P, Q, FormF32{Act::hard_swish, false}, Rgb>;
  }

  template <bool Rgb> static void set_functions(GemmF32::Tile& tile, const FormF32& form) {
    if (tile.columns == GemmF32::kColumns) {
      tile.pixels = 4;
      tile.many = pick<4, 6, Rgb>(form);
      tile.few = pick<1, 6, Rgb>(form);
    } else if (tile.columns == 8) {
      tile.pixels = 8;
      tile.many = pick<8, 2, Rgb>(form);
      tile.few = pick<1, 2, Rgb>(form);
    } else {
      tile.pixels = 12;
      tile.many = pick<12, 1, Rgb>(form);
      tile.few = pick<1, 1, Rgb>(form);
    }
  }
};

GemmF32::GemmF32(int64_t segments, int64_t k, int64_t columns, const FormF32& form, const Weight& weight, bool rgb) : columns_(columns) {
  std::vector<size_t> offsets;
  for (int64_t column = 0; column < columns;) {
    Tile tile;
    tile.column = column;
    tile.columns = columns - column >= kColumns ? kColumns : columns - column >= 8 ? 8 : 4;
    tile.segments = static_cast<int>(segments);
    tile.k = k;
    if (rgb) GemmTileF32::set_functions<true>(tile, form);
    else GemmTileF32::set_functions<false>(tile, form);
    offsets.push_back(weights_.size());
    for (int64_t s = 0; s < segments; s++)
      for (int64_t i = 0; i < k; i++) {
        if (rgb && i % 4 == 3) continue;
        for (int64_t n = 0; n < tile.columns; n++) weights_.push_back(weight(s, i, column + n));
      }
    column += tile.columns;
    tiles_.push_back(tile);
  }
  for (size_t i = 0; i < tiles_.size(); i++) tiles_[i].weights = weights_.data() + offsets[i];
}

}  // namespace edgeocr::kernels::neon
