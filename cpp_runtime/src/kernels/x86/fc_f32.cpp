// fc and mul, fp32: rows [M, K] times a constant W [K, N]. The weights of one tile of columns meet all rows before the next, so that
// they are read from memory once.
#include <algorithm>
#include <memory>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/fused_tail.h"
#include "kernels/generic/fc_form.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/x86/finish_f32.h"
#include "kernels/x86/gemm_f32.h"
#include "kernels/x86/kernels_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

class FcF32 : public Kernel {
 public:
  FcF32(const graph::Node& node, const graph::Graph& graph)
      : form_(generic::fc_form(node, graph)), input_(generic::input_index(node, form_.input)), k_(form_.k), n_(form_.n),
        finish_(generic::bias_or_zeros(node, graph, n_),
                node.op == "fc" ? generic::named_activation(node, "activation_type") : Activation{}, parse_tail(node, graph)),
        direct_(finish_.on_registers() && !finish_.form().residual), gemm_(make_gemm(generic::constant_input(node, graph, form_.weights))) {
  }

  std::string_view name() const override { return "x86.fc.fp32"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return rows_bytes(inputs[input_]) + rows_bytes(outputs[0]) + static_cast<size_t>(threads) * worker_bytes();
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& in = inputs[input_];
    const int64_t m = form_.rows_of(in.shape);
    if (m * k_ != in.shape.count() || m * n_ != outputs[0].shape.count()) {
      fail("fc: %s to %s, but the weights are %lldx%lld", in.shape.str().c_str(), outputs[0].shape.str().c_str(),
           static_cast<long long>(k_), static_cast<long long>(n_));
    }
    const float* rows = in.as<const float>();
    if (in.is_map()) {
      generic::copy_strided(in.shape, sizeof(float), in.data, generic::strides_of(in), context.scratch,
                            generic::row_major_strides(in.shape));
      rows = reinterpret_cast<const float*>(context.scratch);
    }
    const TensorView& out = outputs[0];
    std::byte* matrix = context.scratch + rows_bytes(in);
    if (!out.is_map()) return run_matrix(context, matrix, rows, m, inputs, outputs);
    const TensorView dense{out.dtype, out.shape, matrix};
    run_matrix(context, matrix + rows_bytes(out), rows, m, inputs, {&dense, 1});
    generic::copy_strided(out.shape, size_of(out.dtype), matrix, generic::row_major_strides(out.shape), out.data, generic::strides_of(out));
    generic::clear_padding(out);
  }

 private:
  static constexpr int64_t kRows = 96;  // at a time
  // A tile's results that cannot go to the output as they are, and one row to work on.
  size_t worker_bytes() const { return align_up(static_cast<size_t>((kRows + 1) * gemm_.widest_tile()) * sizeof(float)); }

  GemmF32 make_gemm(const graph::Constant& weights) const {
    const auto values = weights.as<float>();
    const auto weight = [&](int64_t, int64_t k, int64_t n) { return n < n_ ? values[form_.at(k, n)] : 0.0f; };
    return {1, k_, finish_.lanes(), direct_ ? finish_.form() : FormF32{}, weight};
  }

  // Maps pass through a row-major copy.
  static size_t rows_bytes(const TensorView& view) {
    return view.is_map() ? align_up(static_cast<size_t>(view.shape.count()) * sizeof(float)) : 0;
  }

  void run_matrix(const RunContext& context, std::byte* workers, const float* rows, int64_t m, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const {
    generic::parallel(context, static_cast<int64_t>(gemm_.tiles()), 1, [&](int64_t begin, int64_t end, int worker) {
      auto* scratch = reinterpret_cast<float*>(workers + static_cast<size_t>(worker) * worker_bytes());
      for (int64_t tile = begin; tile < end; tile++)
        for (int64_t first = 0; first < m; first += kRows)
          run_tile(static_cast<size_t>(tile), rows + first * k_, first, std::min(kRows, m - first), scratch, inputs, outputs);
    });
  }

  void run_tile(size_t tile, const float* rows, int64_t first, int64_t count, float* scratch, std::span<const TensorView> inputs,
                std::span<const TensorView> outputs) const {
    const int64_t column = gemm_.first_column(tile), columns = std::min(gemm_.columns_of(tile), n_ - column);
    const bool whole = direct_ && columns == gemm_.columns_of(tile);
    RowF32 row;
    row.segments[0] = rows;
    row.pixel_step = k_;
    row.pixels = count;
    row.out = whole ? outputs[0].as<float>() + first * n_ : scratch - column;
    row.out_step = whole ? n_ : gemm_.widest_tile();
    gemm_.run_tile(tile, row, finish_.constants());
    if (whole) return;
    for (int64_t i = 0; i < count; i++) {
      float* results = scratch + i * gemm_.widest_tile();
      if (direct_) std::copy_n(results, columns, outputs[0].as<float>() + (first + i) * n_ + column);
      else finish_.run_columns(results, scratch + kRows * gemm_.widest_tile(), first + i, column, columns, inputs, outputs);
    }
  }

  generic::FcForm form_;
  size_t input_;
  int64_t k_, n_;
  FinishF32 finish_;
  bool direct_;  // results are stored where they belong
  GemmF32 gemm_;
};

}  // namespace

bool accepts_fc_f32(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* weights = graph.constant(node.input(node.op == "fc" ? "W" : "Y"));
  if (node.precision == 2 || weights == nullptr || weights->dtype != DataType::f32 || weights->shape.rank() != 2) return false;
  if (weights->shape[0] % 4 != 0 || weights->shape[0] == 0 || weights->shape[1] == 0) return false;
  if (node.op == "mul" ? node.attr_int("y_num_col_dims", 1) != 1 : node.attr_int("padding_weights", 0) != 0) return false;
  return generic::fits_one_copy(node, generic::fc_form(node, graph));
}

std::unique_ptr<Kernel> create_fc_f32(const graph::Node& node, const graph::Graph& graph) { return std::make_unique<FcF32>(node, graph); }

}  // namespace edgeocr::kernels::x86
