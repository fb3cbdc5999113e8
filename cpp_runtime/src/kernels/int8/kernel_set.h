// The kernel set that the int8 kernels of this processor's architecture are built on: it defines these functions.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/tensor.h"
#include "kernels/int8/ending.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::int8 {

// Null: this processor has none.
const InnerLoops* usable_loops();
inline const InnerLoops& inner_loops() { return *usable_loops(); }

// How many of `left` columns, a multiple of 8, the next tile of a matrix product has.
int64_t tile_columns(int64_t left);

// rules: one per channel; none for sums.
Ending choose_ending(const Form& form, const Sums& sums, std::span<const Rule> rules);

// What is left to do on fp32 values that an inner loop could not finish: the node's own activation and its tail.
class FinishColumns {
 public:
  virtual ~FinishColumns() = default;
  // Columns [column, column + columns) of one row of matrices. y: their values with bias; other: as large. Both are overwritten.
  virtual void run(float* y, float* other, int64_t row, int64_t column, int64_t columns, std::span<const TensorView> inputs,
                   std::span<const TensorView> outputs) const = 0;
};
std::unique_ptr<FinishColumns> finish_columns(int64_t columns, const Activation& act, const TailParameters& tail);

inline std::string kernel_name(std::string_view rest) { return std::string(inner_loops().set) + "." + std::string(rest); }

}  // namespace edgeocr::kernels::int8
