#include "kernels/generic/pool_windows.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/generic/conv_parameters.h"

namespace edgeocr::kernels::generic {

PoolWindows::PoolWindows(const graph::Node& node)
    : max_(node.attr_string("pooling_type", "max") == "max"), global_(node.attr_int("global_pooling", 0) != 0),
      adaptive_(node.attr_int("adaptive", 0) != 0), exclusive_(node.attr_int("exclusive", 1) != 0),
      same_padding_(node.attr_string("padding_algorithm") == "SAME") {
  const std::string type = node.attr_string("pooling_type", "max");
  if (type != "max" && type != "avg") fail("%s: pooling_type is %s, expected max or avg", node.label().c_str(), type.c_str());
  // Sizes of the input matter to SAME and global pooling only, which are resolved at run time.
  if (!adaptive_) window_ = graph::pool_window(node, {1, 1, 1, 1});
}

PoolWindows::Range PoolWindows::range(size_t axis, int64_t at, int64_t in_size, int64_t out_size) const {
  if (global_) return {0, in_size};
  if (adaptive_) return {at * in_size / out_size, ((at + 1) * in_size + out_size - 1) / out_size};
  const int64_t kernel = window_.kernel[axis], stride = window_.stride[axis];
  const int64_t begin = at * stride - (same_padding_ ? same_pad_begin(in_size, kernel, stride) : window_.pad_begin[axis]);
  return {std::max<int64_t>(begin, 0), std::min(begin + kernel, in_size)};
}

int64_t PoolWindows::count(const Range& y, const Range& x) const {
  const bool clipped = global_ || adaptive_ || exclusive_;
  return clipped ? y.size() * x.size() : window_.kernel[0] * window_.kernel[1];
}

}  // namespace edgeocr::kernels::generic
