// Walking tensor views: logical strides, copies between layouts, runs of contiguous elements.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string_view>

#include "base/tensor.h"
#include "kernels/kernel.h"

namespace edgeocr::kernels::generic {

using Strides = std::array<int64_t, Shape::kMaxRank>;

// Elements from one index to the next, per logical dimension.
Strides row_major_strides(const Shape& shape);
Strides strides_of(const TensorView& view);  // maps: N, C, H, W in the order of the logical shape

// Constants of the file come without strides (kernel.h): row-major, even with four dimensions.
inline bool is_constant_map(const TensorView& view) { return view.is_map() && view.pixel_stride == 0; }

// ThreadPool::parallel_for without the allocation that a std::function of a large lambda costs.
template <class Body> void parallel(ThreadPool& pool, int64_t n, int64_t grain, const Body& body) {
  pool.parallel_for(n, grain, std::cref(body));
}
template <class Body> void parallel(const RunContext& context, int64_t n, int64_t grain, const Body& body) {
  parallel(context.pool, n, grain, body);
}

// Splits the rows of maps among the workers, `grain` at a time: body(begin, end, worker) with units of `grain` rows, counted over the
// batch; a batch item has ceil(height / grain) of them. Of a context with a range of rows only those.
template <class Body> void parallel_rows(const RunContext& context, int64_t batch, int64_t height, int64_t grain, const Body& body) {
  const int64_t units = (height + grain - 1) / grain;
  const int64_t first = context.rows ? context.rows->begin / grain : 0;
  const int64_t last = context.rows ? (context.rows->end + grain - 1) / grain : batch * units;
  parallel(context.pool, last - first, 1, [&](int64_t begin, int64_t end, int worker) { body(first + begin, first + end, worker); });
}

// Copies elements of `element_bytes` (1, 2, 4, 8) for every index of `shape`; strides in elements.
void copy_strided(const Shape& shape, size_t element_bytes, const void* source, const Strides& source_strides, void* target,
                  const Strides& target_strides);

// Zeroes the lanes beyond the channels of a map; nothing for other views.
void clear_padding(const TensorView& view);

int64_t map_pixels(const TensorView& map);  // N * H * W

// Calls body(first element, count) over contiguous runs that cover a view and all others of its shape, in parallel. Runs of maps include
// the padding lanes: clear_padding afterwards if f(0) is not 0. Of a context with a range of rows only those.
template <class Body> void for_each_run(const RunContext& context, const TensorView& view, const Body& body) {
  constexpr int64_t kRun = 4096;  // elements, a multiple of 64
  if (view.is_map() && context.rows) {
    parallel_rows(context, 1, view.shape[2], 1,
                  [&](int64_t begin, int64_t end, int) { body(begin * view.row_stride, (end - begin) * view.row_stride); });
    return;
  }
  const int64_t n = view.is_map() ? map_pixels(view) * view.pixel_stride : view.shape.count();
  parallel(context, n, kRun, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i += kRun) body(i, std::min(kRun, end - i));
  });
}

// Fails with "<op>: <what> is <dtype>, expected <dtype>", and on a map that is a constant of the file.
void expect_dtype(std::string_view op, const char* what, const TensorView& view, DataType dtype);

}  // namespace edgeocr::kernels::generic
