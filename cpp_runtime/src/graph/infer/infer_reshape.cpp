#include <algorithm>
#include <cinttypes>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

namespace {

// ShapeTensor (one number per tensor), Shape (a vector), or the attribute, in Paddle-Lite's order of precedence.
std::vector<int64_t> wanted_shape(const InferContext& context) {
  if (auto list = context.all("ShapeTensor"); !list.empty()) return context.known_scalars(list, "ShapeTensor");
  if (const Inferred* tensor = context.find("Shape")) return context.known_ints(*tensor, "Shape");
  return context.node().attr_ints("shape");
}

Shape to_shape(const InferContext& context, const std::vector<int64_t>& dims) {
  if (dims.size() > static_cast<size_t>(Shape::kMaxRank))
    context.reject("output would have rank %zu, expected at most %d", dims.size(), Shape::kMaxRank);
  return Shape(dims);
}

std::vector<int64_t> dims_of(const Shape& shape) { return {shape.dims().begin(), shape.dims().end()}; }

std::vector<int64_t> axes_of(const InferContext& context) {
  if (auto list = context.all("AxesTensorList"); !list.empty()) return context.known_scalars(list, "AxesTensorList");
  if (const Inferred* tensor = context.find("AxesTensor")) return context.known_ints(*tensor, "AxesTensor");
  return context.node().attr_ints("axes");
}

}  // namespace

// 0 keeps the input's size, one -1 takes what is left.
void infer_reshape(InferContext& context) {
  const Inferred& input = context.input("X");
  std::vector<int64_t> dims = wanted_shape(context);
  if (dims.empty()) context.reject("shape is empty, expected at least one size");
  int64_t rest = input.shape.count(), product = 1;
  int open = -1;
  for (size_t i = 0; i < dims.size(); i++) {
    int64_t& dim = dims[i];
    if (dim == 0) {
      if (static_cast<int>(i) >= input.shape.rank())
        context.reject("shape keeps dimension %zu of input %s, which has none", i, input.shape.str().c_str());
      dim = input.shape[static_cast<int>(i)];
    }
    if (dim == -1) {
      if (open >= 0) context.reject("shape has -1 in dimensions %d and %zu, expected it once", open, i);
      open = static_cast<int>(i);
    } else if (dim < 1 || dim > kMaxElements / product) {
      context.reject("shape has size %" PRId64 " in dimension %zu, expected -1 to %" PRId64, dim, i, kMaxElements / product);
    } else {
      product *= dim;
    }
  }
  if (open >= 0) {
    if (rest % product != 0)
      context.reject("input %s has %" PRId64 " elements, expected a multiple of %" PRId64, input.shape.str().c_str(), rest, product);
    dims[static_cast<size_t>(open)] = rest / product;
  }
  context.set_reshaped(input, to_shape(context, dims));
}

// No axes: every dimension of size 1 goes.
void infer_squeeze(InferContext& context) {
  const Inferred& input = context.input("X");
  std::vector<int64_t> axes = axes_of(context), dims;
  std::vector<bool> drop(static_cast<size_t>(input.shape.rank()), false);
  for (int64_t value : axes) {
    int axis = context.axis(value, input.shape.rank());
    if (input.shape[axis] != 1) context.reject("squeezes dimension %d of %s, expected size 1 there", axis, input.shape.str().c_str());
    drop[static_cast<size_t>(axis)] = true;
  }
  for (int i = 0; i < input.shape.rank(); i++) {
    bool goes = axes.empty() ? input.shape[i] == 1 : drop[static_cast<size_t>(i)];
    if (!goes) dims.push_back(input.shape[i]);
  }
  if (dims.empty()) dims.push_back(1);
  context.set_reshaped(input, to_shape(context, dims));
}

// Each axis counts in the shape as it is after the insertions before it.
void infer_unsqueeze(InferContext& context) {
  const Inferred& input = context.input("X");
  std::vector<int64_t> dims = dims_of(input.shape);
  for (int64_t value : axes_of(context)) {
    int axis = context.axis(value, static_cast<int>(dims.size()) + 1);
    dims.insert(dims.begin() + axis, 1);
    to_shape(context, dims);
  }
  context.set_reshaped(input, to_shape(context, dims));
}

void infer_flatten2(InferContext& context) {
  const Inferred& input = context.input("X");
  int64_t axis = context.node().attr_int("axis", 1);
  if (axis < 0 || axis > input.shape.rank()) context.reject("axis is %" PRId64 ", expected 0 to %d", axis, input.shape.rank());
  Shape flat{1, 1};
  for (int i = 0; i < input.shape.rank(); i++) flat[i < axis ? 0 : 1] *= input.shape[i];
  context.set_reshaped(input, flat);
}

void infer_flatten_contiguous_range(InferContext& context) {
  const Inferred& input = context.input("X");
  int start = context.axis(context.node().attr_int("start_axis", 1), input.shape.rank());
  int stop = context.axis(context.node().attr_int("stop_axis", -1), input.shape.rank());
  if (start > stop) context.reject("start_axis is %d and stop_axis %d, expected them in order", start, stop);
  std::vector<int64_t> dims;
  for (int i = 0; i < input.shape.rank(); i++) {
    if (i > start && i <= stop) dims.back() *= input.shape[i];
    else dims.push_back(input.shape[i]);
  }
  context.set_reshaped(input, Shape(dims));
}

void infer_transpose(InferContext& context) {
  const Inferred& input = context.input("X");
  std::vector<int64_t> order = context.node().attr_ints("axis");
  int rank = input.shape.rank();
  if (order.size() != static_cast<size_t>(rank))
    context.reject("axis has %zu values for input %s, expected %d", order.size(), input.shape.str().c_str(), rank);
  Shape out = input.shape;
  std::vector<bool> used(order.size(), false);
  for (int i = 0; i < rank; i++) {
    int from = context.axis(order[static_cast<size_t>(i)], rank);
    if (used[static_cast<size_t>(from)]) context.reject("axis names dimension %d twice", from);
    used[static_cast<size_t>(from)] = true;
    out[i] = input.shape[from];
  }
  context.set_output(input.dtype, out);
}

}  // namespace edgeocr::graph
