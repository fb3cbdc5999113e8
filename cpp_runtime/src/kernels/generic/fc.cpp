// fc and mul, and matmul with a constant right operand: rows [M, K] times W [K, N].
//
// fc flattens its input's first in_num_col_dims dimensions to M and the rest, in NCHW order, to K; with op_type matmul* K is
// the last dimension. int8 inputs give fp32 ("fp32out", matmul) or int8 ("int8out") by the GEMM rule of requant.h.
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernels/generic/matrix_product.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

// The names of one operator's parameters and attributes.
struct Naming {
  std::string_view input, weights, input_scale, weight_scale;
  bool transposed = false;  // weights are [N, K]
  float alpha = 1;
};

Naming naming_of(const graph::Node& node) {
  if (node.op == "fc") {
    if (node.attr_int("padding_weights", 0) != 0) fail("%s: padding_weights is true, expected false", node.label().c_str());
    return {.input = "Input", .weights = "W", .input_scale = "Input0_scale", .weight_scale = "W0_scale"};
  }
  Naming naming{.input = "X", .weights = "Y", .input_scale = "X0_scale", .weight_scale = "Y0_scale"};
  if (node.op == "matmul") {
    naming.transposed = node.attr_int("transpose_Y", 0) != 0;
    naming.alpha = node.attr_float("alpha", 1.0f);
  } else if (node.op == "matmul_v2") {
    naming.transposed = node.attr_int("trans_y", 0) != 0;
  }
  return naming;
}

// Dimensions of the input that count rows, -1: all but the last.
int row_dimensions(const graph::Node& node) {
  if (node.op == "mul") return static_cast<int>(node.attr_int("x_num_col_dims", 1));
  if (node.op == "fc" && !node.attr_string("op_type", "mul").starts_with("matmul")) return static_cast<int>(node.attr_int("in_num_col_dims", 1));
  return -1;
}

// The two dimensions of the weights as the file has them. mul flattens at y_num_col_dims, others at the last dimension.
struct Matrix {
  int64_t rows, columns;
};
Matrix matrix_of(const graph::Node& node, const graph::Constant& weights) {
  const int rank = weights.shape.rank();
  const auto split = node.op == "mul" ? static_cast<int>(node.attr_int("y_num_col_dims", 1)) : rank - 1;
  if (rank < 2 || split < 1 || split >= rank) fail("%s: weights are %s, expected a matrix", node.label().c_str(), weights.shape.str().c_str());
  Matrix matrix{1, 1};
  for (int i = 0; i < rank; i++) (i < split ? matrix.rows : matrix.columns) *= weights.shape[i];
  if (matrix.rows < 1 || matrix.columns < 1) fail("%s: weights are %s, expected a matrix", node.label().c_str(), weights.shape.str().c_str());
  return matrix;
}

MatrixProduct product_of(const graph::Node& node, const graph::Graph& graph, const Naming& naming) {
  const graph::Constant& weights = constant_input(node, graph, naming.weights);
  const bool int8 = node.precision == 2;
  const DataType expected = int8 ? DataType::i8 : DataType::f32;
  if (weights.dtype != expected) fail("%s: weights are %s, expected %s", node.label().c_str(), name_of(weights.dtype), name_of(expected));
  const Matrix stored = matrix_of(node, weights);
  const int64_t k = naming.transposed ? stored.columns : stored.rows, n = naming.transposed ? stored.rows : stored.columns;

  const auto at = [&](int64_t row, int64_t column) {
    return static_cast<size_t>(naming.transposed ? column * stored.columns + row : row * stored.columns + column);
  };
  const Loops& loops = current_loops();
  const Activation act = node.op == "fc" ? named_activation(node, "activation_type") : Activation{};
  std::vector<float> bias = bias_or_zeros(node, graph, n);
  if (!int8) {
    const auto values = weights.as<float>();
    PackedWeights packed = PackedWeights::f32(k, n, [&](int64_t row, int64_t column) { return values[at(row, column)]; });
    return {loops, std::move(packed), k, Epilogue::fp32(std::move(bias), act)};
  }
  const auto values = weights.as<int8_t>();
  PackedWeights packed = PackedWeights::i8(loops, k, n, [&](int64_t row, int64_t column) { return values[at(row, column)]; });
  std::vector<float> weight_scale = scales(node, naming.weight_scale, n);
  const float input_scale = single_scale(node, naming.input_scale);
  if (node.alias == "int8out") {
    const float output_scale = single_scale(node, node.has_attr("Out0_scale") ? "Out0_scale" : "Output0_scale");
    return {loops, std::move(packed), k,
            Epilogue::int8_to_int8(RequantRule::gemm, std::move(weight_scale), input_scale, output_scale, std::move(bias), act)};
  }
  return {loops, std::move(packed), k, Epilogue::int8_to_fp32(std::move(weight_scale), input_scale, std::move(bias), act)};
}

class Fc : public Kernel {
 public:
  Fc(const graph::Node& node, const graph::Graph& graph, const Naming& naming)
      : op_(node.op), input_(input_index(node, naming.input)), int8_in_(node.precision == 2), int8_out_(int8_in_ && node.alias == "int8out"),
        row_dimensions_(row_dimensions(node)), alpha_(naming.alpha), loops_(current_loops()), product_(product_of(node, graph, naming)) {
    if (alpha_ != 1.0f && int8_out_) fail("%s: alpha is %g, expected 1 with int8", op_.c_str(), static_cast<double>(alpha_));
  }

  std::string_view name() const override { return int8_in_ ? "generic.fc.int8" : "generic.fc.fp32"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return rows_bytes(inputs[input_]) + rows_bytes(outputs[0]) + product_.scratch_bytes(threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype(op_, "input", in, int8_in_ ? DataType::i8 : DataType::f32);
    expect_dtype(op_, "output", out, int8_out_ ? DataType::i8 : DataType::f32);
    const int64_t m = rows_of(in);
    if (m * product_.k() != in.shape.count() || m * product_.n() != out.shape.count()) {
      fail("%s: %s to %s, but the weights are %lldx%lld", op_.c_str(), in.shape.str().c_str(), out.shape.str().c_str(),
           static_cast<long long>(product_.k()), static_cast<long long>(product_.n()));
    }
    std::byte *rows_in = context.scratch, *rows_out = rows_in + rows_bytes(in), *scratch = rows_out + rows_bytes(out);
    if (in.is_map()) copy_strided(in.shape, size_of(in.dtype), in.data, strides_of(in), rows_in, row_major_strides(in.shape));
    void* target = out.is_map() ? rows_out : out.data;
    product_.run(context.pool, scratch, in.is_map() ? rows_in : in.data, m, target);
    if (alpha_ != 1.0f) loops_.multiply(alpha_, out.shape.count(), static_cast<float*>(target));
    if (!out.is_map()) return;
    copy_strided(out.shape, size_of(out.dtype), rows_out, row_major_strides(out.shape), out.data, strides_of(out));
    clear_padding(out);
  }

 private:
  // Maps pass through a row-major copy.
  static size_t rows_bytes(const TensorView& view) { return view.is_map() ? align_up(static_cast<size_t>(view.shape.count()) * size_of(view.dtype)) : 0; }

  int64_t rows_of(const TensorView& in) const {
    int64_t m = 1;
    const int dimensions = row_dimensions_ < 0 ? in.shape.rank() - 1 : std::min(row_dimensions_, in.shape.rank());
    for (int i = 0; i < dimensions; i++) m *= in.shape[i];
    return m;
  }

  std::string op_;
  size_t input_;
  bool int8_in_, int8_out_;
  int row_dimensions_;
  float alpha_;
  const Loops& loops_;
  MatrixProduct product_;
};

}  // namespace

std::unique_ptr<Kernel> create_fc(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Fc>(node, graph, naming_of(node));
}

}  // namespace edgeocr::kernels::generic
