#include "kernels/neon/winograd_f32.h"

#include <algorithm>

#include "base/aligned.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int64_t kSize = 6, kElements = kSize * kSize;  // of a transformed tile

// Points 0, 1, -1, 2, -2 and infinity.
constexpr double kFilter[kSize][3] = {{0.25, 0, 0}, {-1 / 6.0, -1 / 6.0, -1 / 6.0}, {-1 / 6.0, 1 / 6.0, -1 / 6.0},
                                      {1 / 24.0, 1 / 12.0, 1 / 6.0}, {1 / 24.0, -1 / 12.0, 1 / 6.0}, {0, 0, 1}};

[[gnu::always_inline]] inline void transform_input(const float32x4_t (&d)[kSize], float32x4_t (&t)[kSize]) {
  const float32x4_t two = vdupq_n_f32(2), four = vdupq_n_f32(4), five = vdupq_n_f32(5);
  const float32x4_t a = vfmsq_f32(d[4], d[2], four), b = vfmsq_f32(d[3], d[1], four);
  const float32x4_t c = vsubq_f32(d[4], d[2]), e = vmulq_f32(vsubq_f32(d[3], d[1]), two);
  t[0] = vfmaq_f32(vfmsq_f32(d[4], d[2], five), d[0], four);
  t[1] = vaddq_f32(a, b);
  t[2] = vsubq_f32(a, b);
  t[3] = vaddq_f32(c, e);
  t[4] = vsubq_f32(c, e);
  t[5] = vfmaq_f32(vfmsq_f32(d[5], d[3], five), d[1], four);
}

[[gnu::always_inline]] inline void transform_output(const float32x4_t (&m)[kSize], float32x4_t (&o)[WinogradF32::kTile]) {
  const float32x4_t a = vaddq_f32(m[1], m[2]), b = vsubq_f32(m[1], m[2]), c = vaddq_f32(m[3], m[4]), e = vsubq_f32(m[3], m[4]);
  o[0] = vaddq_f32(vaddq_f32(m[0], a), c);
  o[1] = vfmaq_f32(b, e, vdupq_n_f32(2));
  o[2] = vfmaq_f32(a, c, vdupq_n_f32(4));
  o[3] = vaddq_f32(vfmaq_f32(b, e, vdupq_n_f32(8)), m[5]);
}

int64_t tiles_of(int64_t width) { return (width + WinogradF32::kTile - 1) / WinogradF32::kTile; }

}  // namespace

struct WinogradF32::Outputs {
  const float* products;  // [element][tile][lanes]
  int64_t tiles, width, lanes;
  const Band& band;
  const ConstantsF32& constants;
};

bool WinogradF32::suits(const ConvGeometry& g) {
  constexpr int64_t kLeastChannels = 16;
  const bool three = g.kernel_h == 3 && g.kernel_w == 3 && g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 && g.dilation_w == 1;
  const bool pads = g.pad_top == 1 && g.pad_bottom == 1 && g.pad_left == 1 && g.pad_right == 1;
  return three && pads && g.groups == 1 && g.in_channels >= kLeastChannels && g.out_channels >= kLeastChannels;
}

WinogradF32::WinogradF32(const graph::Constant& filter, int64_t lanes, const FormF32& form)
    : in_lanes_(pixel_stride_of(filter.shape[1])), lanes_(lanes), zeros_(static_cast<size_t>(lanes), 0.0f) {
  using Act = FormF32::Act;
  transform_outputs_ = form.act == Act::none   ? transform_outputs<FormF32{Act::none, false}>
                       : form.act == Act::relu ? transform_outputs<FormF32{Act::relu, false}>
                                               : transform_outputs<FormF32{Act::hard_swish, false}>;
  const auto values = filter.as<float>();
  const int64_t outputs = filter.shape[0], inputs = filter.shape[1];
  for (int64_t row = 0; row < kSize; row++)
    for (int64_t column = 0; column < kSize; column++) {
      const auto weight = [&](int64_t, int64_t c, int64_t o) {
        if (c >= inputs || o >= outputs) return 0.0f;
        double sum = 0;
        for (int64_t tap = 0; tap < 9; tap++)
          sum += kFilter[row][tap / 3] * kFilter[column][tap % 3] * static_cast<double>(values[static_cast<size_t>((o * inputs + c) * 9 + tap)]);
        return static_cast<float>(sum);
      };
      gemms_.emplace_back(1, in_lanes_, lanes_, FormF32{}, weight);
    }
}

size_t WinogradF32::scratch_elements(const TensorView& in) const {
  const size_t transformed = static_cast<size_t>(kElements * tiles_of(in.shape[3]) * (in_lanes_ + lanes_));
  return align_up(window(in).elements() * sizeof(float)) / sizeof(float) + transformed;
}

// [element][tile][in_lanes]
void WinogradF32::transform_inputs(const TensorView& in, const Band& band, float* patch, float* transformed) const {
  const WindowF32 window = this->window(in);
  const int64_t tiles = tiles_of(in.shape[3]), element = tiles * in_lanes_;
  for (int64_t tile = 0; tile < tiles; tile++) {
    const WindowF32::Pixels pixels = window.at(band.batch, band.y - 1, tile * kTile - 1, kSize, patch);
    for (int64_t c = 0; c < in_lanes_; c += 4) {
      float32x4_t rows[kSize][kSize];
#pragma clang loop unroll(full)
      for (int j = 0; j < kSize; j++) {
        float32x4_t d[kSize], t[kSize];
#pragma clang loop unroll(full)
        for (int i = 0; i < kSize; i++) d[i] = vld1q_f32(pixels.rows[static_cast<size_t>(i)] + j * pixels.pixel_step + c);
        transform_input(d, t);
#pragma clang loop unroll(full)
        for (int i = 0; i < kSize; i++) rows[i][j] = t[i];
      }
      float* out = transformed + tile * in_lanes_ + c;
#pragma clang loop unroll(full)
      for (int i = 0; i < kSize; i++) {
        float32x4_t t[kSize];
        transform_input(rows[i], t);
#pragma clang loop unroll(full)
        for (int j = 0; j < kSize; j++) vst1q_f32(out + (i * kSize + j) * element, t[j]);
      }
    }
  }
}

template <FormF32 F> void WinogradF32::transform_outputs(const Outputs& o) {
  const int64_t element = o.tiles * o.lanes;
  for (int64_t tile = 0; tile < o.tiles; tile++) {
    const int64_t x = tile * kTile, columns = std::min(kTile, o.width - x);
    for (int64_t c = 0; c < o.lanes; c += 4) {
      const float* products = o.products + tile * o.lanes + c;
      float32x4_t rows[kTile][kSize];
#pragma clang loop unroll(full)
      for (int j = 0; j < kSize; j++) {
        float32x4_t m[kSize], t[kTile];
#pragma clang loop unroll(full)
        for (int i = 0; i < kSize; i++) m[i] = vld1q_f32(products + (i * kSize + j) * element);
        transform_output(m, t);
#pragma clang loop unroll(full)
        for (int i = 0; i < kTile; i++) rows[i][j] = t[i];
      }
      const float32x4_t bias = vld1q_f32(o.constants.bias + c);
#pragma clang loop unroll(full)
      for (int i = 0; i < kTile; i++) {
        if (i >= o.band.rows) break;
        float32x4_t sums[kTile];
        transform_output(rows[i], sums);
        const float* start = o.band.start == nullptr ? nullptr : o.band.start + (i * o.width + x) * o.lanes + c;
        float* out = o.band.out + i * o.band.out_row + x * o.band.out_step + c;
#pragma clang loop unroll(full)
        for (int j = 0; j < kTile; j++) {
          if (j >= columns) break;
          const float32x4_t sum = start == nullptr ? sums[j] : vaddq_f32(sums[j], vld1q_f32(start + j * o.lanes));
          vst1q_f32(out + j * o.band.out_step, finish<F>(sum, bias, nullptr, o.constants));
        }
      }
    }
  }
}

void WinogradF32::run(const TensorView& in, const Band& band, const ConstantsF32& constants, float* scratch) const {
  const int64_t width = in.shape[3], tiles = tiles_of(width);
  float* transformed = scratch + align_up(window(in).elements() * sizeof(float)) / sizeof(float);
  float* products = transformed + kElements * tiles * in_lanes_;
  transform_inputs(in, band, scratch, transformed);
  const ConstantsF32 no_bias{.bias = zeros_.data()};
  for (int64_t element = 0; element < kElements; element++) {
    RowF32 row;
    row.segments[0] = transformed + element * tiles * in_lanes_;
    row.pixel_step = in_lanes_;
    row.pixels = tiles;
    row.out = products + element * tiles * lanes_;
    row.out_step = lanes_;
    gemms_[static_cast<size_t>(element)].run(row, no_bias);
  }
  transform_outputs_({products, tiles, width, lanes_, band, constants});
}

}  // namespace edgeocr::kernels::neon
