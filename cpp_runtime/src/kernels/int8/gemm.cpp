#include "kernels/int8/gemm.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "kernels/int8/kernel_set.h"

namespace edgeocr::kernels::int8 {

Gemm::Gemm(int64_t segments, int64_t k, int64_t columns, const Form& form, const Weight& weight, std::span<const Rule> rules,
           std::span<const int64_t> other_reach)
    : out_bytes_(result_bytes(form.store)) {
  weights_.reserve(static_cast<size_t>(segments * k * columns));  // stays where it is
  for (int64_t first = 0, width = 0; first < columns; first += width) {
    width = tile_columns(columns - first);
    const auto offset = static_cast<size_t>(first), count = static_cast<size_t>(width);
    const int8_t* weights = weights_.data() + weights_.size();
    std::vector<int64_t> sums(count, 0), reach(count, 0);
    if (!other_reach.empty()) std::ranges::copy(other_reach.subspan(offset, count), reach.begin());
    for (int64_t segment = 0; segment < segments; segment++)
      for (int64_t i = 0; i < k; i += 4)
        for (size_t column = 0; column < count; column++)
          for (int64_t j = 0; j < 4; j++) {
            const int8_t w = weight(segment, i + j, first + static_cast<int64_t>(column));
            sums[column] += w;
            reach[column] += 128 * std::abs(int64_t{w});
            weights_.push_back(w);
          }
    Ending ending = choose_ending(form, {sums, reach}, part(rules, offset, count));
    const GemmFunction function = inner_loops().gemm(width, segments, k, ending.form);
    const GemmTile packed{segments, k, weights, ending.form};
    tiles_.push_back({first, std::move(ending), packed, function});
  }
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
