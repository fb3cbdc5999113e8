// int8 matrix products by SDOT for convolutions over maps with channels innermost: a row of pixels times packed weights.
//
// What a pixel multiplies is a few segments of contiguous bytes: the map's lanes for a 1x1 convolution, kernel_w pixels of
// kernel_h rows for others. Columns (output channels) are cut into tiles of 24, the rest of 16 or 8; a register tile is 4 pixels
// x 24 or 16 columns, or 8 x 8. Weights: [tile][segment][k / 4][column of the tile][4].
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "kernels/neon/requantise.h"

namespace edgeocr::kernels::neon {

// One row of pixels.
struct GemmRow {
  static constexpr int kMaxSegments = 5;
  std::array<const int8_t*, kMaxSegments> segments{};  // of the first pixel
  ptrdiff_t pixel_step = 0;                            // bytes from pixel to pixel, the same in every segment
  int64_t pixels = 0;
  const int32_t* start = nullptr;  // sums begin here: [pixel][column]; null: every sum at GemmI8::start
  ptrdiff_t start_step = 0;        // elements
  std::byte* out = nullptr;
  ptrdiff_t out_step = 0;  // bytes
  const float* residual = nullptr;
  ptrdiff_t residual_step = 0;  // elements
  int residual_shift = 0;       // pixel x adds residual pixel x >> residual_shift
};

class GemmI8 {
 public:
  using Weight = std::function<int8_t(int64_t segment, int64_t k, int64_t column)>;

  // k: bytes per segment, a multiple of 4; columns: a multiple of 8. other_reach: per column, bound of |sum| of what
  // GemmRow::start brings; empty: nothing.
  GemmI8(int64_t segments, int64_t k, int64_t columns, Form form, const Weight& weight, std::span<const int64_t> other_reach = {});

  // For a form that stores int8: takes the short way of requant_steps.h for every tile whose columns all have a proof. rules: of
  // all columns.
  void take_steps(std::span<const Rule> rules);

  // The start that the sums of a column need (requantise.h), part of GemmRow::start where that is given.
  int32_t start(int64_t column) const;

  // constants.scale and .bias: of all columns.
  void run(const GemmRow& row, const FinishConstants& constants) const;

 private:
  // Computes a row's columns of one tile; `row` and `constants` begin at the tile's first column.
  using RowFunction = void (*)(const GemmRow& row, const int8_t* weights, int64_t segments, int64_t k, const FinishConstants& constants);
  struct Tile {
    int64_t column = 0, columns = 0;
    size_t weights = 0;  // offset
    bool biased = true;
    std::optional<StepsTable> steps{};
    RowFunction function = nullptr;
  };
  static RowFunction choose(int64_t columns, int64_t segments, int64_t k, Form form, bool biased);

  int64_t segments_, k_;
  Form form_;
  std::vector<int8_t> weights_;
  std::vector<int64_t> reach_;  // of each column, other_reach included
  std::vector<Tile> tiles_;
};

}  // namespace edgeocr::kernels::neon
