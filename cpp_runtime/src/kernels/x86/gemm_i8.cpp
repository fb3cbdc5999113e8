#include "kernels/x86/gemm_i8.h"

#include "kernels/x86/tile_widths.h"

namespace edgeocr::kernels::x86 {

GemmI8::GemmI8(int64_t segments, int64_t k, int64_t columns, FormI8 form, const Weight& weight)
    : form_(form), starts_(static_cast<size_t>(columns), 0) {
  const InnerLoops& loops = current_inner_loops();
  std::vector<size_t> offsets;
  for (int64_t first = 0, width = 0; first < columns; first += width) {
    width = width_of_tile(loops, columns - first);
    tiles_.push_back({.column = first, .columns = width, .segments = segments, .k = k});
    functions_.push_back(loops.int8->gemm(width));
    offsets.push_back(weights_.size());
    for (int64_t segment = 0; segment < segments; segment++)
      for (int64_t i = 0; i < k; i += 4)
        for (int64_t column = first; column < first + width; column++)
          for (int64_t j = 0; j < 4; j++) {
            weights_.push_back(weight(segment, i + j, column));
            starts_[static_cast<size_t>(column)] -= 128 * weights_.back();
          }
  }
  for (size_t i = 0; i < tiles_.size(); i++) {
    tiles_[i].weights = weights_.data() + offsets[i];
    tiles_[i].start = starts_.data() + tiles_[i].column;
  }
}

}  // namespace edgeocr::kernels::x86
