// int8 matrix products for convolutions over maps with channels innermost: a row of pixels times packed weights.
//
// What a pixel multiplies is a few segments of contiguous bytes: the map's lanes for a 1x1 convolution, kernel_w pixels of kernel_h
// rows for others. Columns (output channels) are cut into tiles of one to three vectors.
#pragma once

#include <functional>
#include <vector>

#include "kernels/x86/inner_loops.h"

namespace edgeocr::kernels::x86 {

class GemmI8 {
 public:
  using Weight = std::function<int8_t(int64_t segment, int64_t k, int64_t column)>;

  // k: bytes per segment, a multiple of 4; columns: a multiple of 8.
  GemmI8(int64_t segments, int64_t k, int64_t columns, FormI8 form, const Weight& weight);
  GemmI8(GemmI8&&) = default;  // not copied: tiles point at the weights

  // Where the sums of a column begin, part of GemmRowI8::start where that is given.
  int32_t start(int64_t column) const { return starts_[static_cast<size_t>(column)]; }

  // constants.scale and .bias: of all columns; so are the row's pointers.
  void run(const GemmRowI8& row, const ConstantsI8& constants) const {
    for (size_t i = 0; i < tiles_.size(); i++) functions_[i](row, tiles_[i], form_, constants);
  }

 private:
  FormI8 form_;
  std::vector<int8_t> weights_;
  std::vector<int32_t> starts_;
  std::vector<GemmTileI8> tiles_;
  std::vector<GemmFunctionI8> functions_;  // of each tile
};

}  // namespace edgeocr::kernels::x86
