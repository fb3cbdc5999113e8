#include "kernels/generic/matrix_product.h"

#include <cstring>
#include <utility>

namespace edgeocr::kernels::generic {

namespace {

// One task: so many rows by so many columns (a multiple of kBlock), its sums 24 KB.
constexpr int64_t kRows = 48, kColumns = 128;

}  // namespace

MatrixProduct::MatrixProduct(const Loops& loops, PackedWeights weights, int64_t k, Epilogue epilogue)
    : loops_(loops), weights_(std::move(weights)), k_(k), epilogue_(std::move(epilogue)),
      copy_rows_(epilogue_.int8_in() && (loops.group_i8 != 4 || k % loops.group_i8 != 0)) {
  const size_t element = !epilogue_.int8_in() ? sizeof(float) : loops.group_i8 == 4 ? sizeof(int8_t) : sizeof(int16_t);
  row_bytes_ = static_cast<size_t>(weights_.rows()) * element;
}

size_t MatrixProduct::panel_bytes() const { return copy_rows_ ? align_up(kRows * row_bytes_) : 0; }

size_t MatrixProduct::worker_bytes() const { return panel_bytes() + align_up(kRows * kColumns * sizeof(float)); }

const void* MatrixProduct::prepare(const void* rows, int64_t count, std::byte* panel) const {
  if (!copy_rows_) return rows;
  std::memset(panel, 0, static_cast<size_t>(count) * row_bytes_);
  for (int64_t i = 0; i < count; i++) {
    const auto* row = static_cast<const int8_t*>(rows) + i * k_;
    std::byte* target = panel + static_cast<size_t>(i) * row_bytes_;
    if (loops_.group_i8 == 4) {
      std::memcpy(target, row, static_cast<size_t>(k_));
    } else {
      loops_.widen(row, k_, reinterpret_cast<int16_t*>(target));
    }
  }
  return panel;
}

void MatrixProduct::run(ThreadPool& pool, std::byte* scratch, const void* rows, int64_t m, void* out) const {
  const int64_t row_tasks = (m + kRows - 1) / kRows, column_tasks = (n() + kColumns - 1) / kColumns;
  const size_t in_bytes = epilogue_.int8_in() ? sizeof(int8_t) : sizeof(float), out_bytes = size_of(epilogue_.output());
  const ptrdiff_t stride = copy_rows_ ? weights_.rows() : k_;
  // Rows of one column block follow each other, so that its weights stay in the cache.
  parallel(pool, row_tasks * column_tasks, 1, [&](int64_t begin, int64_t end, int worker) {
    std::byte* panel = scratch + static_cast<size_t>(worker) * worker_bytes();
    auto* sums = reinterpret_cast<float*>(panel + panel_bytes());  // or int32_t: same size
    for (int64_t task = begin; task < end; task++) {
      const int64_t row = task % row_tasks * kRows, column = task / row_tasks * kColumns;
      const int64_t count = std::min(kRows, m - row), columns = std::min(kColumns, n() - column);
      const void* a = prepare(static_cast<const std::byte*>(rows) + static_cast<size_t>(row * k_) * in_bytes, count, panel);
      const auto* w = static_cast<const std::byte*>(weights_.data()) + static_cast<size_t>(column) * row_bytes_;
      if (epilogue_.int8_in()) {
        loops_.gemm_i8(a, stride, count, w, weights_.rows(), columns, reinterpret_cast<int32_t*>(sums), kColumns);
      } else {
        loops_.gemm_f32(static_cast<const float*>(a), stride, count, reinterpret_cast<const float*>(w), weights_.rows(), columns, sums,
                        kColumns);
      }
      for (int64_t i = 0; i < count; i++) {
        auto* target = static_cast<std::byte*>(out) + static_cast<size_t>((row + i) * n() + column) * out_bytes;
        epilogue_.apply(loops_, sums + i * kColumns, column, columns, target);
      }
    }
  });
}

}  // namespace edgeocr::kernels::generic
