#include <cinttypes>
#include <cmath>
#include <cstring>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

namespace {

template <class T> void fill(const KnownContents& contents, double value) {
  auto number = static_cast<T>(value);
  size_t count = contents.constant->data.size() / sizeof(T);
  for (size_t i = 0; i < count; i++) std::memcpy(contents.data + i * sizeof(T), &number, sizeof(T));
}

void set_filled(InferContext& context, const Shape& shape, double value) {
  if (int64_t count = context.checked_count(shape, "output"); count > kMaxKnownElements)
    context.reject("output would be %s, expected at most %" PRId64 " elements", shape.str().c_str(), kMaxKnownElements);
  int64_t type = context.node().attr_int("dtype", 5);
  bool integer = type == 2 || type == 3;
  // Outside int32 a conversion would be undefined.
  if (integer && !(std::fabs(value) <= 2147483647.0)) context.reject("value is %g, expected one that int32 can hold", value);
  DataType dtype = type == 2 ? DataType::i32 : type == 3 ? DataType::i64 : DataType::f32;
  if (!integer && type != 5) context.reject("dtype is %" PRId64 ", expected 2 (int32), 3 (int64) or 5 (fp32)", type);

  KnownContents contents = make_known(dtype, shape);
  if (dtype == DataType::i32) fill<int32_t>(contents, value);
  else if (dtype == DataType::i64) fill<int64_t>(contents, value);
  else fill<float>(contents, value);
  context.set_output(dtype, shape, std::move(contents.constant));
}

Shape shape_of(const InferContext& context, const std::vector<int64_t>& dims) {
  if (dims.size() > static_cast<size_t>(Shape::kMaxRank))
    context.reject("shape has %zu sizes, expected at most %d", dims.size(), Shape::kMaxRank);
  return dims.empty() ? Shape{1} : Shape(dims);
}

}  // namespace

void infer_shape(InferContext& context) {
  const Shape& shape = context.input("Input").shape;
  KnownContents contents = make_known(DataType::i32, {shape.rank()});
  for (int i = 0; i < shape.rank(); i++) {
    auto size = static_cast<int32_t>(shape[i]);
    std::memcpy(contents.data + static_cast<size_t>(i) * sizeof size, &size, sizeof size);
  }
  context.set_output(DataType::i32, {shape.rank()}, std::move(contents.constant));
}

// The shape: ShapeTensorList (one number each), ShapeTensor (a vector), or the attribute, where [] means one element.
void infer_fill_constant(InferContext& context) {
  if (context.find("ValueTensor") != nullptr) context.reject("ValueTensor is given, expected the attribute value");
  std::vector<int64_t> dims;
  if (auto list = context.all("ShapeTensorList"); !list.empty()) dims = context.known_scalars(list, "ShapeTensorList");
  else if (const Inferred* tensor = context.find("ShapeTensor")) dims = context.known_ints(*tensor, "ShapeTensor");
  else dims = context.node().attr_ints("shape");
  set_filled(context, shape_of(context, dims), context.node().attr_float("value", 0));
}

// The output's dimension output_dim_idx is the input's dimension input_dim_idx.
void infer_fill_constant_batch_size_like(InferContext& context) {
  const Node& node = context.node();
  const Shape& like = context.input("Input").shape;
  std::vector<int64_t> dims = node.attr_ints("shape");
  int64_t from = node.attr_int("input_dim_idx", 0), to = node.attr_int("output_dim_idx", 0);
  if (from < 0 || from >= like.rank()) context.reject("input_dim_idx is %" PRId64 ", expected 0 to %d", from, like.rank() - 1);
  if (to < 0 || to >= static_cast<int64_t>(dims.size()))
    context.reject("output_dim_idx is %" PRId64 ", expected 0 to %zu", to, dims.size());
  dims[static_cast<size_t>(to)] = like[static_cast<int>(from)];
  set_filled(context, shape_of(context, dims), node.attr_float("value", 0));
}

}  // namespace edgeocr::graph
