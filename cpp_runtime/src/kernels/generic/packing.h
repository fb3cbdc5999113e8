// Weights of matrix products, packed once for the gemm loops of one level (block layout: loops.h).
#pragma once

#include <algorithm>
#include <memory>

#include "base/aligned.h"
#include "kernels/generic/loops.h"

namespace edgeocr::kernels::generic {

// weight(k, n) to block layout; elements beyond K and N are left as they are.
template <class T, class Weight> void pack_columns(T* out, int64_t k, int64_t n, int64_t group, const Weight& weight) {
  for (int64_t first = 0; first < n; first += kBlock) {
    const int64_t width = n - first > kHalfBlock ? kBlock : kHalfBlock;
    for (int64_t row = 0; row < k; row += group, out += width * group)
      for (int64_t column = 0; column < std::min(width, n - first); column++)
        for (int64_t g = 0; g < std::min(group, k - row); g++) out[column * group + g] = static_cast<T>(weight(row + g, first + column));
  }
}

class PackedWeights {
 public:
  // weight(k, n) gives the element of row k < K and column n < N.
  template <class Weight> static PackedWeights f32(int64_t k, int64_t n, const Weight& weight) {
    PackedWeights packed(k, n, sizeof(float), 1);
    pack_columns(reinterpret_cast<float*>(packed.data_.get()), k, n, 1, weight);
    return packed;
  }
  // int8 values; rows are padded with zeros to a multiple of the level's group.
  template <class Weight> static PackedWeights i8(const Loops& loops, int64_t k, int64_t n, const Weight& weight) {
    const bool narrow = loops.group_i8 == 4;
    PackedWeights packed(k, n, narrow ? sizeof(int8_t) : sizeof(int16_t), loops.group_i8);
    if (narrow) {
      pack_columns(reinterpret_cast<int8_t*>(packed.data_.get()), k, n, loops.group_i8, weight);
    } else {
      pack_columns(reinterpret_cast<int16_t*>(packed.data_.get()), k, n, loops.group_i8, weight);
    }
    return packed;
  }

  const void* data() const { return data_.get(); }
  int64_t rows() const { return rows_; }  // K, padded to the group
  int64_t columns() const { return columns_; }

 private:
  PackedWeights(int64_t k, int64_t n, size_t element_bytes, int64_t group)
      : rows_((k + group - 1) / group * group), columns_(n),
        data_(allocate_aligned(static_cast<size_t>(rows_ * padded_columns(n)) * element_bytes, "packed weights")) {}

  int64_t rows_, columns_;
  std::shared_ptr<std::byte> data_;
};

}  // namespace edgeocr::kernels::generic
