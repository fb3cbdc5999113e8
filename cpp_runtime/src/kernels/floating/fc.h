// fc and mul: rows [M, K] times a constant W [K, N]. The weights of one tile of columns meet all rows before the next, so that they are
// read from memory once.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/floating/float_node.h"
#include "kernels/generic/fc_form.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/kernel.h"

namespace edgeocr::kernels::floating {

template <class Set> class Fc : public Kernel {
 public:
  using T = typename Set::Value;

  Fc(const graph::Node& node, const graph::Graph& graph)
      : name_(kernel_name<Set>("fc")), form_(generic::fc_form(node, graph)), input_(generic::input_index(node, form_.input)), k_(form_.k),
        n_(form_.n), finish_(Set::finish_of(node, graph, n_, activation_of(node))), end_(end_of(node, graph)),
        gemm_(make_gemm(generic::constant_input(node, graph, form_.weights))) {}

  std::string_view name() const override { return name_; }

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
    const T* rows = in.as<const T>();
    if (in.is_map()) {
      generic::copy_strided(in.shape, sizeof(T), in.data, generic::strides_of(in), context.scratch, generic::row_major_strides(in.shape));
      rows = reinterpret_cast<const T*>(context.scratch);
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
  int64_t most_columns() const { return Set::most_columns(gemm_); }
  // A tile's results that cannot go to the output as they are, and two rows to work on.
  size_t tile_bytes() const { return static_cast<size_t>(kRows * most_columns()) * sizeof(T); }
  size_t worker_bytes() const { return align_up(tile_bytes() + 2 * static_cast<size_t>(most_columns()) * sizeof(float)); }

  // What becomes of a tile's results: they are stored where they belong, or as fp32 there, or Finish has work left.
  enum class End : uint8_t { direct, widened, finished };

  static Activation activation_of(const graph::Node& node) {
    return node.op == "fc" ? generic::named_activation(node, "activation_type") : Activation{};
  }

  End end_of(const graph::Node& node, const graph::Graph& graph) const {
    if (finish_.on_registers() && !finish_.form().residual) return End::direct;
    const bool sums = activation_of(node).kind == ActKind::none && is_stored_once(node, graph);
    return sums && parse_tail(node, graph).outputs[0].dtype == DataType::f32 ? End::widened : End::finished;
  }

  typename Set::Gemm make_gemm(const graph::Constant& weights) const {
    const auto values = weights.as<float>();
    const auto weight = [&](int64_t, int64_t k, int64_t n) { return n < n_ ? values[form_.at(k, n)] : 0.0f; };
    return {1, k_, finish_.lanes(), end_ == End::direct ? finish_.form() : finish_.bias_alone(), weight};
  }

  // Maps pass through a row-major copy.
  static size_t rows_bytes(const TensorView& view) {
    return view.is_map() ? align_up(static_cast<size_t>(view.shape.count()) * sizeof(float)) : 0;
  }

  void run_matrix(const RunContext& context, std::byte* workers, const T* rows, int64_t m, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const {
    generic::parallel(context, static_cast<int64_t>(gemm_.tiles()), 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* scratch = workers + static_cast<size_t>(worker) * worker_bytes();
      for (int64_t tile = begin; tile < end; tile++)
        for (int64_t first = 0; first < m; first += kRows)
          run_tile(static_cast<size_t>(tile), rows + first * k_, first, std::min(kRows, m - first), scratch, inputs, outputs);
    });
  }

  void run_tile(size_t tile, const T* rows, int64_t first, int64_t count, std::byte* scratch, std::span<const TensorView> inputs,
                std::span<const TensorView> outputs) const {
    const int64_t column = gemm_.first_column(tile), columns = std::min(gemm_.columns_of(tile), n_ - column);
    const bool whole = end_ == End::direct && columns == gemm_.columns_of(tile);
    auto* results = reinterpret_cast<T*>(scratch);
    const int64_t step = most_columns();
    typename Set::Row row;
    row.segments[0] = rows;
    row.pixel_step = k_;
    row.pixels = count;
    row.out = whole ? outputs[0].as<T>() + first * n_ : results - column;
    row.out_step = whole ? n_ : step;
    gemm_.run_tile(tile, row, finish_.constants());
    if (whole) return;
    auto* sums = reinterpret_cast<float*>(scratch + tile_bytes());
    for (int64_t i = 0; i < count; i++, results += step) {
      const int64_t at = (first + i) * n_ + column;
      switch (end_) {
        case End::direct: std::copy_n(results, columns, outputs[0].as<T>() + at); break;
        case End::widened: Set::widen(results, columns, outputs[0].as<float>() + at); break;
        case End::finished:
          Set::widen(results, columns, sums);
          finish_.run_columns(sums, sums + step, first + i, column, columns, inputs, outputs);
          break;
      }
    }
  }

  std::string name_;
  generic::FcForm form_;
  size_t input_;
  int64_t k_, n_;
  typename Set::Finish finish_;
  End end_;
  typename Set::Gemm gemm_;
};

template <class Set> bool accepts_fc(const graph::Node& node, const graph::Graph& graph) {
  const graph::Constant* weights = graph.constant(node.input(node.op == "fc" ? "W" : "Y"));
  if (!computes_in<typename Set::Value>(node) || weights == nullptr || weights->dtype != DataType::f32 || weights->shape.rank() != 2)
    return false;
  if (weights->shape[0] % Set::kGemmLanes != 0 || weights->shape[0] == 0 || weights->shape[1] < Set::kLeastFcColumns) return false;
  if (node.op == "mul" ? node.attr_int("y_num_col_dims", 1) != 1 : node.attr_int("padding_weights", 0) != 0) return false;
  return generic::fits_one_copy(node, generic::fc_form(node, graph));
}

}  // namespace edgeocr::kernels::floating
