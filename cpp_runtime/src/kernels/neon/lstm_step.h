// One step of an LSTM: recurrent product, gates and cell of a block of units on registers.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/simd/vector.h"

namespace edgeocr::kernels::neon {

// T: of inputs, weights, products and h. Gates and cell are fp32.
template <class T> class LstmStep {
 public:
  // Weight of the gate (0 input, 1 forget, 2 cell, 3 output) of a unit for an h.
  using Weight = std::function<float(int64_t gate, int64_t unit, int64_t h)>;

  // hidden: a multiple of Vec<T>::kLanes.
  LstmStep(int64_t hidden, const Weight& weight);

  // inputs: the gates' input products with biases, [4][hidden]; h: of the step before; cell: in and out.
  // fp32: the results are those of lstm_cell() (generic/loops.h) on sums that begin at zero, take h in order and then the input product.
  // fp16: sums begin with the input product and take eight products of h at a time; gates are within 2e-6 of their sums'.
  void run(const T* inputs, const T* h, float* cell, T* h_out) const;

 private:
  // A block's weights: [h][gate][unit of the block].
  struct Block {
    int64_t first, units;
    size_t weights;  // offset
  };

  int64_t hidden_;
  std::vector<T> weights_;
  std::vector<Block> blocks_;
};

}  // namespace edgeocr::kernels::neon
