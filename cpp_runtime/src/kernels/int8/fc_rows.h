// The rows that an int8 fc multiplies: as its input has them or, of a dynamic_fc, quantised (dynamic_int8.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/tensor.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/kernel.h"

namespace edgeocr::kernels::int8 {

class FcRows {
 public:
  // Dense rows of stride() bytes, zeros behind the first k.
  struct Rows {
    const int8_t* values;
    const float* scales;  // of dynamic rows one each, else null
  };

  FcRows(int64_t k, bool dynamic) : k_(k), stride_((k + 3) / 4 * 4), dynamic_(dynamic) {}

  DataType dtype() const { return dynamic_ ? DataType::f32 : DataType::i8; }  // of the input
  int64_t stride() const { return stride_; }
  size_t scratch_bytes(const TensorView& in) const { return copy_bytes(in) + values_bytes(in) + scales_bytes(in); }
  // in: [m, k] of dtype(), of any rank. scratch: as scratch_bytes says; it keeps the rows.
  Rows prepare(const RunContext& context, const TensorView& in, std::byte* scratch) const;

 private:
  size_t copy_bytes(const TensorView& in) const;
  size_t values_bytes(const TensorView& in) const;
  size_t scales_bytes(const TensorView& in) const;
  void pad(int8_t* row) const;

  const InnerLoops& loops_ = inner_loops();
  int64_t k_, stride_;
  bool dynamic_;
};

}  // namespace edgeocr::kernels::int8
