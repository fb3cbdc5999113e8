// Rows times packed weights: fc, matmul, the input products of an LSTM.
#pragma once

#include "kernels/generic/epilogue.h"
#include "kernels/generic/packing.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

class MatrixProduct {
 public:
  MatrixProduct(const Loops& loops, PackedWeights weights, int64_t k, Epilogue epilogue);

  int64_t k() const { return k_; }
  int64_t n() const { return weights_.columns(); }
  size_t scratch_bytes(int threads) const { return static_cast<size_t>(threads) * worker_bytes(); }
  // rows: [m, k] dense, int8 or fp32; out: [m, n] dense. `scratch` as scratch_bytes says.
  void run(ThreadPool& pool, std::byte* scratch, const void* rows, int64_t m, void* out) const;

 private:
  size_t panel_bytes() const;
  size_t worker_bytes() const;
  const void* prepare(const void* rows, int64_t count, std::byte* panel) const;

  const Loops& loops_;
  PackedWeights weights_;
  int64_t k_;
  Epilogue epilogue_;
  bool copy_rows_;    // int8 rows that must be widened or padded to the group
  size_t row_bytes_;  // as the gemm reads them
};

}  // namespace edgeocr::kernels::generic
