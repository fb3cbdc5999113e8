// fc, dynamic_fc (graph/passes/quantise_fc.h), mul and matmul with a constant right operand: rows [M, K] times W [K, N], however the
// operators name what they are made of.
#pragma once

#include <string_view>

#include "graph/graph.h"

namespace edgeocr::kernels::generic {

struct FcForm {
  std::string_view input, weights, input_scale, weight_scale;  // names of parameters and attributes
  int row_dimensions = -1;                                     // first dimensions of the input that count rows; -1: all but the last
  bool transposed = false;                                     // weights are [N, K]
  float alpha = 1;                                             // factor of the result
  int64_t k = 0, n = 0;

  // Element of the weights as the file has them.
  size_t at(int64_t row, int64_t column) const { return static_cast<size_t>(transposed ? column * k + row : row * n + column); }
  int64_t rows_of(const Shape& input_shape) const;
};

// Its rows are fp32, its weights int8.
inline bool is_dynamic_fc(const graph::Node& node) { return node.op == "dynamic_fc"; }

// Fails with "<label>: …" where the weights are no constant matrix of the node's precision.
FcForm fc_form(const graph::Node& node, const graph::Graph& graph);

// Whether one row-major copy is enough between the rows and a result that may be a map: there is one output, and no residual.
bool fits_one_copy(const graph::Node& node, const FcForm& form);

// matmul and matmul_v2: a constant matrix, alone in its batch, and rows that need no transposing.
bool works_like_fc(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::generic
