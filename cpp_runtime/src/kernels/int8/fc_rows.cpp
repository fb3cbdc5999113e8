#include "kernels/int8/fc_rows.h"

#include <cstring>

#include "base/aligned.h"
#include "kernels/dynamic_int8.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::int8 {

namespace {

constexpr int64_t kGrain = 8;  // rows that a thread quantises at least

}  // namespace

// Maps pass through a row-major copy.
size_t FcRows::copy_bytes(const TensorView& in) const {
  return in.is_map() ? align_up(static_cast<size_t>(in.shape.count()) * size_of(in.dtype)) : 0;
}

size_t FcRows::values_bytes(const TensorView& in) const {
  return !dynamic_ && stride_ == k_ ? 0 : align_up(static_cast<size_t>(in.shape.count() / k_ * stride_));
}

size_t FcRows::scales_bytes(const TensorView& in) const {
  return dynamic_ ? align_up(static_cast<size_t>(in.shape.count() / k_) * sizeof(float)) : 0;
}

void FcRows::pad(int8_t* row) const { std::memset(row + k_, 0, static_cast<size_t>(stride_ - k_)); }

FcRows::Rows FcRows::prepare(const RunContext& context, const TensorView& in, std::byte* scratch) const {
  const void* rows = in.data;
  if (in.is_map()) {
    generic::copy_strided(in.shape, size_of(in.dtype), in.data, generic::strides_of(in), scratch, generic::row_major_strides(in.shape));
    rows = scratch;
  }
  const int64_t m = in.shape.count() / k_;
  auto* values = reinterpret_cast<int8_t*>(scratch + copy_bytes(in));
  if (dynamic_) {
    auto* scales = reinterpret_cast<float*>(scratch + copy_bytes(in) + values_bytes(in));
    generic::parallel(context, m, kGrain, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        const float* row = static_cast<const float*>(rows) + i * k_;
        const OwnScale own = own_scale(loops_.largest_magnitude(row, k_));
        loops_.quantise(row, own.inverse, k_, values + i * stride_);
        pad(values + i * stride_);
        scales[i] = own.scale;
      }
    });
    return {values, scales};
  }
  if (stride_ == k_) return {static_cast<const int8_t*>(rows), nullptr};
  for (int64_t i = 0; i < m; i++) {
    std::memcpy(values + i * stride_, static_cast<const int8_t*>(rows) + i * k_, static_cast<size_t>(k_));
    pad(values + i * stride_);
  }
  return {values, nullptr};
}

}  // namespace edgeocr::kernels::int8
