#include "kernels/x86/upsampled_source_f32.h"

#include <algorithm>
#include <span>
#include <utility>

namespace edgeocr::kernels::x86 {

namespace {

// How the three taps of one dimension enter a product.
enum class Taps { sum, first, minus_last };
float coefficient(Taps taps, int64_t tap) {
  switch (taps) {
    case Taps::sum: return 1;
    case Taps::first: return tap == 0 ? 1.0f : 0.0f;
    case Taps::minus_last: break;
  }
  return tap == 2 ? -1.0f : 0.0f;
}
struct Combination {
  Taps rows, columns;
};

// Columns [combination][output channel].
GemmF32 make_gemm(const graph::Constant& filter, int64_t in_lanes, int64_t lanes, std::span<const Combination> combinations) {
  const auto values = filter.as<float>();
  const int64_t outputs = filter.shape[0], inputs = filter.shape[1];
  const auto weight = [&](int64_t, int64_t c, int64_t column) {
    const int64_t o = column % lanes;
    if (c >= inputs || o >= outputs) return 0.0f;
    const Combination& combination = combinations[static_cast<size_t>(column / lanes)];
    double sum = 0;
    for (int64_t tap = 0; tap < 9; tap++) {
      const float factor = coefficient(combination.rows, tap / 3) * coefficient(combination.columns, tap % 3);
      sum += static_cast<double>(factor * values[static_cast<size_t>((o * inputs + c) * 9 + tap)]);
    }
    return static_cast<float>(sum);
  };
  return {1, in_lanes, static_cast<int64_t>(combinations.size()) * lanes, {}, weight};
}

constexpr Combination kPlain[] = {{Taps::sum, Taps::sum}};
constexpr Combination kAlong[] = {{Taps::sum, Taps::first}, {Taps::sum, Taps::minus_last}};
constexpr Combination kBetweenRows[] = {{Taps::first, Taps::sum}, {Taps::minus_last, Taps::sum}};
constexpr Combination kBoth[] = {
    {Taps::first, Taps::first}, {Taps::first, Taps::minus_last}, {Taps::minus_last, Taps::first}, {Taps::minus_last, Taps::minus_last}};

constexpr int64_t kTags = 16;  // elements, keeps the rest aligned

}  // namespace

// A worker's memory.
struct UpsampledSourceF32::Products {
  struct Tags {
    int32_t row, boundary, expanded;  // batch and row that the products belong to; -1: none
  };
  Tags* tags;
  float *plain, *along;                  // of a row: [width][lanes], [width + 1][2][lanes]
  float *between, *both;                 // of the boundary above a row: [width][2][lanes], [width + 1][4][lanes]
  float* expanded;                       // [width][3][lanes]
  float *differences, *row_differences;  // [width + 1][in_lanes] each
};

UpsampledSourceF32::UpsampledSourceF32(const graph::Constant& filter, int64_t factor, int64_t lanes)
    : loops_(current_inner_loops()), factor_(factor), in_lanes_(pixel_stride_of(filter.shape[1])), lanes_(lanes),
      zeros_(static_cast<size_t>(4 * lanes), 0.0f), plain_(make_gemm(filter, in_lanes_, lanes, kPlain)),
      along_(make_gemm(filter, in_lanes_, lanes, kAlong)), between_(make_gemm(filter, in_lanes_, lanes, kBetweenRows)),
      both_(make_gemm(filter, in_lanes_, lanes, kBoth)) {}

size_t UpsampledSourceF32::scratch_elements(const TensorView& in) const {
  const int64_t width = in.shape[3];
  return static_cast<size_t>(kTags + (6 * width + 3 * (2 * width + 2)) * lanes_ + 2 * (width + 1) * in_lanes_);
}

UpsampledSourceF32::Products UpsampledSourceF32::products(const TensorView& in, float* scratch) const {
  const int64_t width = in.shape[3];
  Products p{};
  p.tags = reinterpret_cast<Products::Tags*>(scratch);
  float* next = scratch + kTags;
  const auto take = [&](int64_t elements) { return std::exchange(next, next + elements); };
  p.plain = take(width * lanes_);
  p.along = take((width + 1) * 2 * lanes_);
  p.between = take(width * 2 * lanes_);
  p.both = take((width + 1) * 4 * lanes_);
  p.expanded = take(width * 3 * lanes_);
  p.differences = take((width + 1) * in_lanes_);
  p.row_differences = take((width + 1) * in_lanes_);
  return p;
}

void UpsampledSourceF32::clear(float* scratch) const { *reinterpret_cast<Products::Tags*>(scratch) = {-1, -1, -1}; }

void UpsampledSourceF32::multiply(const GemmF32& gemm, const float* pixels, ptrdiff_t step, int64_t count, float* out) const {
  RowF32 row;
  row.segments[0] = pixels;
  row.pixel_step = step;
  row.pixels = count;
  row.out = out;
  row.out_step = gemm.columns();
  gemm.run(row, {.bias = zeros_.data()});
}

// out[i] = x[i - 1] - x[i] for 0 <= i <= width, zeros around x.
void UpsampledSourceF32::subtract_neighbours(const float* x, ptrdiff_t step, int64_t width, float* out) const {
  loops_.subtract_f32(nullptr, x, in_lanes_, out);
  for (int64_t i = 1; i < width; i++) loops_.subtract_f32(x + (i - 1) * step, x + i * step, in_lanes_, out + i * in_lanes_);
  loops_.subtract_f32(x + (width - 1) * step, nullptr, in_lanes_, out + width * in_lanes_);
}

void UpsampledSourceF32::multiply_row(const TensorView& in, int64_t batch, int64_t row, const Products& p) const {
  const int64_t width = in.shape[3];
  const float* x = in.as<const float>() + batch * in.batch_stride + row * in.row_stride;
  multiply(plain_, x, in.pixel_stride, width, p.plain);
  subtract_neighbours(x, in.pixel_stride, width, p.differences);
  multiply(along_, p.differences, in_lanes_, width + 1, p.along);
}

// Between row - 1 and row.
void UpsampledSourceF32::multiply_boundary(const TensorView& in, int64_t batch, int64_t row, const Products& p) const {
  const int64_t width = in.shape[3];
  const float* map = in.as<const float>() + batch * in.batch_stride;
  const float* above = row > 0 ? map + (row - 1) * in.row_stride : nullptr;
  const float* below = row < in.shape[2] ? map + row * in.row_stride : nullptr;
  for (int64_t x = 0; x < width; x++) {
    const int64_t at = x * in.pixel_stride;
    loops_.subtract_f32(above == nullptr ? nullptr : above + at, below == nullptr ? nullptr : below + at, in_lanes_,
                        p.row_differences + x * in_lanes_);
  }
  multiply(between_, p.row_differences, in_lanes_, width, p.between);
  subtract_neighbours(p.row_differences, in_lanes_, width, p.differences);
  multiply(both_, p.differences, in_lanes_, width + 1, p.both);
}

void UpsampledSourceF32::expand(int64_t width, Phase phase, const Products& p) const {
  ExpandF32 row{
      .plain = p.plain, .along = p.along, .between = nullptr, .both = nullptr, .width = width, .lanes = lanes_, .out = p.expanded};
  if (phase != kBetween) {
    // Halves for the outputs below the boundary and above it.
    row.between = p.between + (phase == kLast ? lanes_ : 0);
    row.both = p.both + (phase == kLast ? 2 * lanes_ : 0);
  }
  loops_.expand_f32(row);
}

void UpsampledSourceF32::run(const TensorView& in, int64_t batch, int64_t y, bool add, float* scratch, float* sums) const {
  const Products p = products(in, scratch);
  const int64_t row = y / factor_, phase_row = y % factor_, width = in.shape[3];
  const Phase phase = phase_row == 0 ? kFirst : phase_row == factor_ - 1 ? kLast : kBetween;
  const auto tag = static_cast<int32_t>(batch * in.shape[2] + row);
  const auto boundary = static_cast<int32_t>(batch * (in.shape[2] + 1) + row + (phase == kLast ? 1 : 0));
  if (p.tags->row != tag) multiply_row(in, batch, row, p);
  if (phase != kBetween && p.tags->boundary != boundary) {
    multiply_boundary(in, batch, row + (phase == kLast ? 1 : 0), p);
    p.tags->boundary = boundary;
  }
  p.tags->row = tag;
  if (p.tags->expanded != 3 * tag + phase) expand(width, phase, p);
  p.tags->expanded = 3 * tag + phase;
  loops_.spread_f32(p.expanded, width, factor_, lanes_, add, sums);
}

}  // namespace edgeocr::kernels::x86
