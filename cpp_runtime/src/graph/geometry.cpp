#include "graph/geometry.h"

#include <algorithm>
#include <cinttypes>

#include "base/error.h"

namespace edgeocr::graph {

namespace {

constexpr int64_t kMaxStep = 1 << 15;  // of strides, dilations, paddings, kernels

void check_range(const Node& node, const char* what, int64_t value, int64_t least) {
  if (value < least || value > kMaxStep)
    fail("%s: %s is %" PRId64 ", expected %" PRId64 " to %" PRId64, node.label().c_str(), what, value, least, kMaxStep);
}

std::array<int64_t, 2> pair_attr(const Node& node, const char* name, std::vector<int64_t> fallback, int64_t least) {
  std::vector<int64_t> values = node.attr_ints(name, std::move(fallback));
  if (values.size() != 2) fail("%s: %s has %zu values, expected 2", node.label().c_str(), name, values.size());
  for (int64_t value : values) check_range(node, name, value, least);
  return {values[0], values[1]};
}

void set_explicit_paddings(const Node& node, Window& window) {
  std::vector<int64_t> p = node.attr_ints("paddings", {0, 0});
  if (p.size() == 2) p = {p[0], p[0], p[1], p[1]};
  if (p.size() != 4) fail("%s: paddings has %zu values, expected 2 or 4", node.label().c_str(), p.size());
  for (int64_t value : p) check_range(node, "paddings", value, 0);
  window.pad_begin = {p[0], p[2]};
  window.pad_end = {p[1], p[3]};
}

// The output is ceil(input / stride) wide; an odd rest of the padding goes to the end.
void set_same_paddings(const Shape& input, Window& window) {
  window.dilation = {1, 1};
  for (size_t axis = 0; axis < 2; axis++) {
    int64_t size = input[2 + static_cast<int>(axis)];
    int64_t out = (size + window.stride[axis] - 1) / window.stride[axis];
    int64_t total = std::max<int64_t>((out - 1) * window.stride[axis] + window.kernel[axis] - size, 0);
    window.pad_begin[axis] = total / 2;
    window.pad_end[axis] = total - total / 2;
  }
}

void set_paddings(const Node& node, const Shape& input, Window& window) {
  std::string algorithm = node.attr_string("padding_algorithm", "EXPLICIT");
  if (algorithm == "SAME") set_same_paddings(input, window);
  else if (algorithm == "EXPLICIT") set_explicit_paddings(node, window);
  else if (algorithm != "VALID")
    fail("%s: padding_algorithm is %s, expected EXPLICIT, SAME or VALID", node.label().c_str(), algorithm.c_str());
}

}  // namespace

Window conv_window(const Node& node, const Shape& input, const Shape& filter) {
  Window window;
  window.kernel = {filter[2], filter[3]};
  for (int64_t size : window.kernel) check_range(node, "kernel size", size, 1);
  window.stride = pair_attr(node, "strides", {1, 1}, 1);
  window.dilation = pair_attr(node, "dilations", {1, 1}, 1);
  set_paddings(node, input, window);
  return window;
}

Window pool_window(const Node& node, const Shape& input) {
  Window window;
  if (node.attr_int("global_pooling", 0) != 0) {
    window.kernel = {input[2], input[3]};
    return window;
  }
  window.kernel = pair_attr(node, "ksize", {}, 1);
  window.stride = pair_attr(node, "strides", {1, 1}, 1);
  set_paddings(node, input, window);
  for (size_t axis = 0; axis < 2; axis++)
    if (window.pad_begin[axis] >= window.kernel[axis] || window.pad_end[axis] >= window.kernel[axis])
      fail("%s: padding is %" PRId64 " and %" PRId64 ", expected less than the kernel size %" PRId64, node.label().c_str(),
           window.pad_begin[axis], window.pad_end[axis], window.kernel[axis]);
  return window;
}

int64_t convolved_size(const Window& window, size_t axis, int64_t input) {
  int64_t room = input + window.pad_begin[axis] + window.pad_end[axis] - window.extent(axis);
  return room < 0 ? 0 : room / window.stride[axis] + 1;
}

int64_t pooled_size(const Window& window, size_t axis, int64_t input, bool ceil_mode) {
  int64_t room = input + window.pad_begin[axis] + window.pad_end[axis] - window.extent(axis);
  int64_t size = (room + (ceil_mode ? window.stride[axis] - 1 : 0)) / window.stride[axis] + 1;
  bool last_is_inside = (size - 1) * window.stride[axis] - window.pad_begin[axis] < input;
  return last_is_inside ? std::max<int64_t>(size, 0) : 0;
}

std::array<int64_t, 2> transposed_size(const Node& node, const Window& window, const Shape& input) {
  std::vector<int64_t> extra = node.attr_ints("output_padding"), wanted = node.attr_ints("output_size");
  if (!extra.empty() && extra.size() != 2) fail("%s: output_padding has %zu values, expected 2", node.label().c_str(), extra.size());
  if (!wanted.empty() && wanted.size() != 2) fail("%s: output_size has %zu values, expected 2", node.label().c_str(), wanted.size());
  std::array<int64_t, 2> size{};
  for (size_t axis = 0; axis < 2; axis++) {
    int64_t least =
        (input[2 + static_cast<int>(axis)] - 1) * window.stride[axis] + window.extent(axis) - window.pad_begin[axis] - window.pad_end[axis];
    size[axis] = least;
    if (!extra.empty()) {
      check_range(node, "output_padding", extra[axis], 0);
      if (extra[axis] >= std::max(window.stride[axis], window.dilation[axis]))
        fail("%s: output_padding is %" PRId64 ", expected less than the stride or the dilation", node.label().c_str(), extra[axis]);
      size[axis] += extra[axis];
    }
    if (!wanted.empty()) {
      if (wanted[axis] < least || wanted[axis] >= least + window.stride[axis])
        fail("%s: output_size is %" PRId64 ", expected %" PRId64 " to %" PRId64, node.label().c_str(), wanted[axis], least,
             least + window.stride[axis] - 1);
      size[axis] = wanted[axis];
    }
  }
  return size;
}

}  // namespace edgeocr::graph
