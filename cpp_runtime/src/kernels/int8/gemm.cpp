#include "kernels/int8/gemm.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace edgeocr::kernels::int8 {

void Gemm::add_tile(int64_t first, int64_t width, GemmTile packed, std::span<const Rule> rules, std::span<const int64_t> other_reach) {
  std::vector<int64_t> sums(static_cast<size_t>(width), 0), reach(other_reach.begin(), other_reach.end());
  reach.resize(sums.size(), 0);
  const int8_t* w = packed.weights;
  for (int64_t quad = 0; quad < packed.segments * packed.k / 4; quad++)
    for (size_t column = 0; column < sums.size(); column++, w += 4) {
      sums[column] += w[0] + w[1] + w[2] + w[3];
      reach[column] += 128 * (std::abs(w[0]) + std::abs(w[1]) + std::abs(w[2]) + std::abs(w[3]));
    }
  Ending ending = choose_ending(packed.form, {sums, reach}, rules);
  packed.form = ending.form;
  const GemmFunction function = inner_loops().gemm(width, packed.segments, packed.k, ending.form);
  tiles_.push_back({first, std::move(ending), packed, function});
}

int32_t Gemm::start(int64_t column) const {
  const Tile& tile = *std::prev(std::ranges::upper_bound(tiles_, column, {}, &Tile::column));
  return tile.ending.start[static_cast<size_t>(column - tile.column)];
}

void Gemm::run(const GemmRow& given, const FinishConstants& constants) const {
  for (const Tile& tile : tiles_) {
    GemmRow row = given;
    if (row.start == nullptr) {
      row.start = tile.ending.start.data();
      row.start_step = 0;
    } else {
      row.start += tile.column;
    }
    row.out += tile.column * out_bytes_;
    if (row.second != nullptr) row.second += tile.column;
    if (row.residual != nullptr) row.residual += tile.column;
    tile.function(row, tile.packed, tile.ending.constants(constants, tile.column));
  }
}

}  // namespace edgeocr::kernels::int8
