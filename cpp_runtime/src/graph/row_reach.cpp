#include "graph/row_reach.h"

#include <algorithm>
#include <string_view>

#include "graph/fused_tail.h"
#include "graph/geometry.h"

namespace edgeocr::graph {

namespace {

const Shape& shape_of(std::span<const Inferred> values, ValueId id) { return values[static_cast<size_t>(id)].shape; }

int64_t divide_down(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// The node makes one output row of one input row.
bool is_pointwise(std::string_view op) {
  constexpr std::string_view kOps[] = {"calib",        "hard_swish", "relu",  "relu6",     "sigmoid",
                                       "hard_sigmoid", "leaky_relu", "scale", "batch_norm"};
  return std::ranges::find(kOps, op) != std::end(kOps);
}

std::optional<RowReach> reach_of_operator(const Node& node, const Port& input, std::span<const Inferred> values) {
  const bool transposed = node.op == "conv2d_transpose";
  if (node.op == "conv2d" || node.op == "depthwise_conv2d" || transposed) {
    if (input.parameter != "Input") return std::nullopt;
    const Window w = conv_window(node, shape_of(values, input.value), shape_of(values, node.input("Filter")));
    const int64_t last = w.extent(0) - 1;
    // out = in * stride - pad + k, 0 <= k <= last
    if (transposed) return RowReach{.before = last + 1 - w.stride[0] - w.pad_begin[0], .after = w.pad_begin[0], .divisor = w.stride[0]};
    return RowReach{.stride = w.stride[0], .before = w.pad_begin[0], .after = last - w.pad_begin[0]};
  }
  if (node.op == "conv2d_transpose_pair") return RowReach{.divisor = 4};
  if (node.op == "conv2d_over_upsampled")
    return RowReach{.before = 1, .after = 1, .divisor = node.attr_ints("factors")[static_cast<size_t>(input.index)]};
  if (is_pointwise(node.op)) return RowReach{};
  return std::nullopt;
}

}  // namespace

RowRange RowReach::of(RowRange rows) const {
  if (rows.begin >= rows.end) return {};
  const int64_t begin = divide_down(rows.begin * stride - before, divisor), end = divide_down((rows.end - 1) * stride + after, divisor) + 1;
  return {std::clamp<int64_t>(begin, 0, height), std::clamp<int64_t>(end, 0, height)};
}

std::optional<RowReach> row_reach(const Node& node, size_t port, std::span<const Inferred> values) {
  const Port& input = node.inputs[port];
  const Shape& shape = shape_of(values, input.value);
  if (shape.rank() != 4 || shape[0] != 1) return std::nullopt;
  std::optional<RowReach> reach;
  if (node.tail != nullptr && node.tail->residual == static_cast<int>(port)) reach = RowReach{.divisor = node.tail->residual_scale};
  else reach = reach_of_operator(node, input, values);
  if (reach) reach->height = shape[2];
  return reach;
}

}  // namespace edgeocr::graph
