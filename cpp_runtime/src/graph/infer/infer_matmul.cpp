#include <algorithm>
#include <cinttypes>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

// Product of the sizes in [begin, end).
int64_t range_count(const Shape& shape, int begin, int end) {
  int64_t count = 1;
  for (int i = begin; i < end; i++) count *= shape[i];
  return count;
}

void expect_operand_dtype(const InferContext& context, const Inferred& x, const Inferred& y, const char* y_name) {
  const DataType dtype = dtype_of(context.node().precision);
  const bool int8_weights = dtype == DataType::i8 || context.node().op == "dynamic_fc";
  context.expect_dtype(x, "input", dtype);
  context.expect_dtype(y, y_name, int8_weights ? DataType::i8 : DataType::f32);
}

// Leading dimensions that make the rows of the left matrix.
int row_dims(const InferContext& context, const Shape& shape, int64_t count) {
  if (count < 1 || count >= shape.rank())
    context.reject("%" PRId64 " dimensions of %s make rows, expected 1 to %d", count, shape.str().c_str(), shape.rank() - 1);
  return static_cast<int>(count);
}

}  // namespace

void infer_fc(InferContext& context) {
  const Node& node = context.node();
  const Inferred &input = context.input("Input"), &weights = context.input("W");
  expect_operand_dtype(context, input, weights, "W");
  context.expect_rank(weights, "W", 2);
  if (node.attr_int("padding_weights", 0) != 0) context.reject("padding_weights is true, expected false");
  // Where fc was made from a matmul, in_num_col_dims is always 1 in the file and means nothing.
  bool from_matmul = node.attr_string("op_type").starts_with("matmul");
  int rows = row_dims(context, input.shape, from_matmul ? input.shape.rank() - 1 : node.attr_int("in_num_col_dims", 1));
  int64_t k = range_count(input.shape, rows, input.shape.rank());
  if (k != weights.shape[0])
    context.reject("input is %s: its rows have %" PRId64 " elements, W expects %" PRId64, input.shape.str().c_str(), k, weights.shape[0]);
  if (const Inferred* bias = context.find("Bias")) {
    context.expect_dtype(*bias, "bias", DataType::f32);
    if (bias->shape.count() != weights.shape[1])
      context.reject("bias has %" PRId64 " elements, expected %" PRId64, bias->shape.count(), weights.shape[1]);
  }
  std::vector<int64_t> dims(input.shape.dims().begin(), input.shape.dims().begin() + rows);
  dims.push_back(weights.shape[1]);
  context.set_output(node.alias == "int8out" ? DataType::i8 : context.float_dtype(), Shape(dims));
}

void infer_mul(InferContext& context) {
  const Node& node = context.node();
  const Inferred &x = context.input("X"), &y = context.input("Y");
  expect_operand_dtype(context, x, y, "Y");
  int x_rows = row_dims(context, x.shape, node.attr_int("x_num_col_dims", 1));
  int y_rows = row_dims(context, y.shape, node.attr_int("y_num_col_dims", 1));
  int64_t k = range_count(x.shape, x_rows, x.shape.rank());
  if (k != range_count(y.shape, 0, y_rows))
    context.reject("X is %s and Y is %s: rows of X have %" PRId64 " elements, Y expects %" PRId64, x.shape.str().c_str(),
                   y.shape.str().c_str(), k, range_count(y.shape, 0, y_rows));
  std::vector<int64_t> dims(x.shape.dims().begin(), x.shape.dims().begin() + x_rows);
  dims.insert(dims.end(), y.shape.dims().begin() + y_rows, y.shape.dims().end());
  context.set_output(context.float_dtype(), Shape(dims));
}

void infer_matmul(InferContext& context) {
  const Node& node = context.node();
  const Inferred &x = context.input("X"), &y = context.input("Y");
  expect_operand_dtype(context, x, y, "Y");
  int xr = x.shape.rank(), yr = y.shape.rank();
  if (xr < 2 || yr < 2) context.reject("X is %s and Y is %s, expected rank 2 or more", x.shape.str().c_str(), y.shape.str().c_str());
  bool v2 = node.op == "matmul_v2";
  bool transpose_x = node.attr_int(v2 ? "trans_x" : "transpose_X", 0) != 0,
       transpose_y = node.attr_int(v2 ? "trans_y" : "transpose_Y", 0) != 0;
  int64_t m = x.shape[xr - (transpose_x ? 1 : 2)], kx = x.shape[xr - (transpose_x ? 2 : 1)];
  int64_t ky = y.shape[yr - (transpose_y ? 1 : 2)], n = y.shape[yr - (transpose_y ? 2 : 1)];
  if (kx != ky)
    context.reject("X is %s and Y is %s: rows of X have %" PRId64 " elements, Y expects %" PRId64, x.shape.str().c_str(),
                   y.shape.str().c_str(), kx, ky);
  int batch_rank = std::max(xr, yr) - 2;
  std::vector<int64_t> dims;
  for (int i = 0; i < batch_rank; i++) {
    int xi = i - (batch_rank - (xr - 2)), yi = i - (batch_rank - (yr - 2));
    int64_t xd = xi < 0 ? 1 : x.shape[xi], yd = yi < 0 ? 1 : y.shape[yi];
    if (xd != yd && xd != 1 && yd != 1)
      context.reject("X is %s and Y is %s, expected batch sizes that are equal or 1", x.shape.str().c_str(), y.shape.str().c_str());
    dims.push_back(std::max(xd, yd));
  }
  dims.push_back(m);
  dims.push_back(n);
  context.set_output(DataType::f32, Shape(dims));
}

}  // namespace edgeocr::graph
