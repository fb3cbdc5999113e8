// matmul and matmul_v2. A constant matrix on the right is packed once and works like fc; otherwise both operands are read
// through their strides, batch dimensions broadcast, and the right one is packed per product.
#include <memory>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/precision.h"
#include "kernels/generic/fc_form.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/packing.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

// Strides of an operand in the dimensions of the output: batches (0 where broadcast), then rows and columns of the matrix.
struct Operand {
  Strides batch{};
  int64_t rows = 0, columns = 0;  // of the matrix, after transposing
  int64_t row_stride = 0, column_stride = 0;
};

class Matmul : public Kernel {
 public:
  explicit Matmul(const graph::Node& node) : loops_(current_loops()), op_(node.op), x_(input_index(node, "X")), y_(input_index(node, "Y")) {
    const bool old = node.op == "matmul";
    transpose_x_ = node.attr_int(old ? "transpose_X" : "trans_x", 0) != 0;
    transpose_y_ = node.attr_int(old ? "transpose_Y" : "trans_y", 0) != 0;
    alpha_ = node.attr_float("alpha", 1.0f);
    if (node.precision == graph::kInt8Precision) fail("%s: Y is not a constant matrix, expected one with int8", node.label().c_str());
  }

  std::string_view name() const override { return "generic.matmul.fp32"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    const Sizes sizes = sizes_of(inputs, outputs[0]);
    return static_cast<size_t>(threads) * sizes.worker_bytes();
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& out = outputs[0];
    expect_dtype(op_, "output", out, DataType::f32);
    const Sizes s = sizes_of(inputs, out);
    const Strides to = strides_of(out);
    const int rank = out.shape.rank();
    const Shape matrix_x{s.m, s.k}, matrix_out{s.m, s.n};
    parallel(context, s.batches, 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* scratch = context.scratch + static_cast<size_t>(worker) * s.worker_bytes();
      auto* rows = reinterpret_cast<float*>(scratch);
      auto* packed = reinterpret_cast<float*>(scratch + s.rows_bytes());
      auto* sums = reinterpret_cast<float*>(scratch + s.rows_bytes() + s.packed_bytes());
      for (int64_t batch = begin; batch < end; batch++) {
        const float* x = inputs[x_].as<const float>() + offset(out.shape, s.x.batch, batch);
        const float* y = inputs[y_].as<const float>() + offset(out.shape, s.y.batch, batch);
        float* target = out.as<float>() + offset(out.shape, to, batch);
        copy_strided(matrix_x, sizeof(float), x, {s.x.row_stride, s.x.column_stride}, rows, {s.k, 1});
        pack_columns<float>(packed, s.k, s.n, 1,
                            [&](int64_t row, int64_t column) { return y[row * s.y.row_stride + column * s.y.column_stride]; });
        loops_.gemm_f32(rows, s.k, s.m, packed, s.k, s.n, sums, padded_columns(s.n));
        if (alpha_ != 1.0f) loops_.multiply(alpha_, s.m * padded_columns(s.n), sums);
        copy_strided(matrix_out, sizeof(float), sums, {padded_columns(s.n), 1}, target,
                     {to[static_cast<size_t>(rank - 2)], to[static_cast<size_t>(rank - 1)]});
      }
    });
    clear_padding(out);
  }

 private:
  struct Sizes {
    Operand x, y;
    int64_t m = 0, k = 0, n = 0, batches = 1;
    size_t rows_bytes() const { return align_up(static_cast<size_t>(m * k) * sizeof(float)); }
    size_t packed_bytes() const { return align_up(static_cast<size_t>(k * padded_columns(n)) * sizeof(float)); }
    size_t worker_bytes() const {
      return rows_bytes() + packed_bytes() + align_up(static_cast<size_t>(m * padded_columns(n)) * sizeof(float));
    }
  };

  static Operand operand(const TensorView& view, const Shape& out, bool transpose) {
    const int rank = view.shape.rank(), first = out.rank() - rank;
    const Strides strides = strides_of(view);
    Operand result;
    for (int i = 0; i < rank - 2; i++)
      if (view.shape[i] != 1) result.batch[static_cast<size_t>(first + i)] = strides[static_cast<size_t>(i)];
    int row = rank - 2, column = rank - 1;
    if (transpose) std::swap(row, column);
    result.rows = view.shape[row];
    result.columns = view.shape[column];
    result.row_stride = strides[static_cast<size_t>(row)];
    result.column_stride = strides[static_cast<size_t>(column)];
    return result;
  }

  Sizes sizes_of(std::span<const TensorView> inputs, const TensorView& out) const {
    const TensorView &x = inputs[x_], &y = inputs[y_];
    const int rank = out.shape.rank();
    bool fits = x.shape.rank() >= 2 && y.shape.rank() >= 2 && rank == std::max(x.shape.rank(), y.shape.rank());
    Sizes s;
    if (fits) {
      s.x = operand(x, out.shape, transpose_x_);
      s.y = operand(y, out.shape, transpose_y_);
      s.m = s.x.rows, s.k = s.x.columns, s.n = s.y.columns;
      fits = s.y.rows == s.k && out.shape[rank - 2] == s.m && out.shape[rank - 1] == s.n;
      for (int i = 0; i < rank - 2; i++) s.batches *= out.shape[i];
    }
    if (!fits) fail("%s: %s by %s gives no %s", op_.c_str(), x.shape.str().c_str(), y.shape.str().c_str(), out.shape.str().c_str());
    return s;
  }

  // Of batch number `index`, counted over all but the last two dimensions.
  static int64_t offset(const Shape& shape, const Strides& strides, int64_t index) {
    int64_t at = 0;
    for (int i = shape.rank() - 3; i >= 0; i--) {
      at += index % shape[i] * strides[static_cast<size_t>(i)];
      index /= shape[i];
    }
    return at;
  }

  const Loops& loops_;
  std::string op_;
  size_t x_, y_;
  bool transpose_x_, transpose_y_;
  float alpha_;
};

}  // namespace

std::unique_ptr<Kernel> create_matmul(const graph::Node& node, const graph::Graph& graph) {
  if (works_like_fc(node, graph)) return create_fc(node, graph);
  return std::make_unique<Matmul>(node);
}

}  // namespace edgeocr::kernels::generic
