#include "kernels/generic/fc_form.h"

#include <algorithm>

#include "base/error.h"
#include "graph/fused_tail.h"
#include "graph/precision.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

FcForm names_of(const graph::Node& node) {
  if (node.op == "fc" || is_dynamic_fc(node)) {
    if (node.attr_int("padding_weights", 0) != 0) fail("%s: padding_weights is true, expected false", node.label().c_str());
    return {.input = "Input", .weights = "W", .input_scale = "Input0_scale", .weight_scale = "W0_scale"};
  }
  FcForm form{.input = "X", .weights = "Y", .input_scale = "X0_scale", .weight_scale = "Y0_scale"};
  if (node.op == "matmul") {
    form.transposed = node.attr_int("transpose_Y", 0) != 0;
    form.alpha = node.attr_float("alpha", 1.0f);
  } else if (node.op == "matmul_v2") {
    form.transposed = node.attr_int("trans_y", 0) != 0;
  }
  return form;
}

int row_dimensions(const graph::Node& node) {
  if (node.op == "mul") return static_cast<int>(node.attr_int("x_num_col_dims", 1));
  const bool from_matmul = node.attr_string("op_type", "mul").starts_with("matmul");
  const bool flattens = (node.op == "fc" || is_dynamic_fc(node)) && !from_matmul;
  return flattens ? static_cast<int>(node.attr_int("in_num_col_dims", 1)) : -1;
}

// The two dimensions of the weights as the file has them. mul flattens at y_num_col_dims, others at the last dimension.
struct Matrix {
  int64_t rows, columns;
};
Matrix matrix_of(const graph::Node& node, const graph::Constant& weights) {
  const int rank = weights.shape.rank();
  const auto split = node.op == "mul" ? static_cast<int>(node.attr_int("y_num_col_dims", 1)) : rank - 1;
  const auto reject = [&] { fail("%s: weights are %s, expected a matrix", node.label().c_str(), weights.shape.str().c_str()); };
  if (rank < 2 || split < 1 || split >= rank) reject();
  Matrix matrix{1, 1};
  for (int i = 0; i < rank; i++) (i < split ? matrix.rows : matrix.columns) *= weights.shape[i];
  if (matrix.rows < 1 || matrix.columns < 1) reject();
  return matrix;
}

}  // namespace

int64_t FcForm::rows_of(const Shape& input_shape) const {
  int64_t m = 1;
  const int dimensions = row_dimensions < 0 ? input_shape.rank() - 1 : std::min(row_dimensions, input_shape.rank());
  for (int i = 0; i < dimensions; i++) m *= input_shape[i];
  return m;
}

FcForm fc_form(const graph::Node& node, const graph::Graph& graph) {
  FcForm form = names_of(node);
  const graph::Constant& weights = constant_input(node, graph, form.weights);
  const DataType expected = node.precision == graph::kInt8Precision || is_dynamic_fc(node) ? DataType::i8 : DataType::f32;
  if (weights.dtype != expected) fail("%s: weights are %s, expected %s", node.label().c_str(), name_of(weights.dtype), name_of(expected));
  const Matrix stored = matrix_of(node, weights);
  form.row_dimensions = row_dimensions(node);
  form.k = form.transposed ? stored.columns : stored.rows;
  form.n = form.transposed ? stored.rows : stored.columns;
  return form;
}

bool fits_one_copy(const graph::Node& node, const FcForm& form) {
  const bool may_be_map = form.row_dimensions < 0 || form.row_dimensions == 3;
  return !may_be_map || (node.outputs.size() == 1 && (node.tail == nullptr || node.tail->residual < 0));
}

bool works_like_fc(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* y = graph.constant(node.input("Y"));
  const bool transposed_rows = node.attr_int(node.op == "matmul" ? "transpose_X" : "trans_x", 0) != 0;
  return y != nullptr && y->shape.rank() == 2 && !transposed_rows;
}

}  // namespace edgeocr::kernels::generic
