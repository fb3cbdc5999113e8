// fc and mul, and matmul with a constant right operand: rows [M, K] times W [K, N].
//
// fc flattens its input's first in_num_col_dims dimensions to M and the rest, in NCHW order, to K; with op_type matmul* K is
// the last dimension. int8 inputs give fp32 ("fp32out", matmul) or int8 ("int8out") by the GEMM rule of requant.h.
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "graph/precision.h"
#include "kernels/generic/fc_form.h"
#include "kernels/generic/matrix_product.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

MatrixProduct product_of(const graph::Node& node, const graph::Graph& graph, const FcForm& form) {
  const graph::Constant& weights = constant_input(node, graph, form.weights);
  const int64_t k = form.k, n = form.n;
  const Loops& loops = current_loops();
  if (node.precision != graph::kInt8Precision) {
    const auto values = weights.as<float>();
    const Activation act = node.op == "fc" ? named_activation(node, "activation_type") : Activation{};
    PackedWeights packed = PackedWeights::f32(k, n, [&](int64_t row, int64_t column) { return values[form.at(row, column)]; });
    return {loops, std::move(packed), k, Epilogue::fp32(bias_or_zeros(node, graph, n), act)};
  }
  const auto values = weights.as<int8_t>();
  PackedWeights packed = PackedWeights::i8(loops, k, n, [&](int64_t row, int64_t column) { return values[form.at(row, column)]; });
  return {loops, std::move(packed), k, Epilogue::int8(fc_requantisation(node, graph, form))};
}

class Fc : public Kernel {
 public:
  Fc(const graph::Node& node, const graph::Graph& graph)
      : op_(node.op), form_(fc_form(node, graph)), input_(input_index(node, form_.input)),
        int8_in_(node.precision == graph::kInt8Precision), int8_out_(int8_in_ && node.alias == "int8out"), loops_(current_loops()),
        product_(product_of(node, graph, form_)) {
    if (form_.alpha != 1.0f && int8_out_) fail("%s: alpha is %g, expected 1 with int8", op_.c_str(), static_cast<double>(form_.alpha));
  }

  std::string_view name() const override { return int8_in_ ? "generic.fc.int8" : "generic.fc.fp32"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return rows_bytes(inputs[input_]) + rows_bytes(outputs[0]) + product_.scratch_bytes(threads);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype(op_, "input", in, int8_in_ ? DataType::i8 : DataType::f32);
    expect_dtype(op_, "output", out, int8_out_ ? DataType::i8 : DataType::f32);
    const int64_t m = form_.rows_of(in.shape);
    if (m * product_.k() != in.shape.count() || m * product_.n() != out.shape.count()) {
      fail("%s: %s to %s, but the weights are %lldx%lld", op_.c_str(), in.shape.str().c_str(), out.shape.str().c_str(),
           static_cast<long long>(product_.k()), static_cast<long long>(product_.n()));
    }
    std::byte *rows_in = context.scratch, *rows_out = rows_in + rows_bytes(in), *scratch = rows_out + rows_bytes(out);
    if (in.is_map()) copy_strided(in.shape, size_of(in.dtype), in.data, strides_of(in), rows_in, row_major_strides(in.shape));
    void* target = out.is_map() ? rows_out : out.data;
    product_.run(context.pool, scratch, in.is_map() ? rows_in : in.data, m, target);
    if (form_.alpha != 1.0f) loops_.multiply(form_.alpha, out.shape.count(), static_cast<float*>(target));
    if (!out.is_map()) return;
    copy_strided(out.shape, size_of(out.dtype), rows_out, row_major_strides(out.shape), out.data, strides_of(out));
    clear_padding(out);
  }

 private:
  // Maps pass through a row-major copy.
  static size_t rows_bytes(const TensorView& view) {
    return view.is_map() ? align_up(static_cast<size_t>(view.shape.count()) * size_of(view.dtype)) : 0;
  }

  std::string op_;
  FcForm form_;
  size_t input_;
  bool int8_in_, int8_out_;
  const Loops& loops_;
  MatrixProduct product_;
};

}  // namespace

std::unique_ptr<Kernel> create_fc(const graph::Node& node, const graph::Graph& graph) { return std::make_unique<Fc>(node, graph); }

}  // namespace edgeocr::kernels::generic
