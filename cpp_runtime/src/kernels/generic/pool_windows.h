// Which input pixels pool2d reads for an output pixel: by windows, adaptive, or the whole map.
#pragma once

#include "graph/geometry.h"
#include "graph/graph.h"

namespace edgeocr::kernels::generic {

class PoolWindows {
 public:
  // Fails with "<label>: pooling_type is …" unless that is max or avg.
  explicit PoolWindows(const graph::Node& node);

  bool max() const { return max_; }

  struct Range {
    int64_t begin = 0, end = 0;
    int64_t size() const { return end - begin; }
  };
  // Of an output row (axis 0) or column (axis 1): the input's, without padding.
  Range range(size_t axis, int64_t at, int64_t in_size, int64_t out_size) const;
  // What an average divides by.
  int64_t count(const Range& y, const Range& x) const;

 private:
  bool max_, global_, adaptive_, exclusive_, same_padding_;
  graph::Window window_;
};

}  // namespace edgeocr::kernels::generic
