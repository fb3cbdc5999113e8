// dynamic_fc: rows [M, K] of fp32 times W [K, N] of int8, by the rule of dynamic_int8.h. Shapes are those of fc.
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernels/dynamic_int8.h"
#include "kernels/generic/fc_form.h"
#include "kernels/generic/matrix_product.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

class DynamicFc : public Kernel {
 public:
  DynamicFc(const graph::Node& node, const graph::Graph& graph)
      : form_(fc_form(node, graph)), input_(input_index(node, form_.input)), loops_(current_loops()),
        column_scale_(scales(node, form_.weight_scale, form_.n)), bias_(bias_or_zeros(node, graph, form_.n)),
        act_(named_activation(node, "activation_type")), product_(product_of(node, graph)) {}

  std::string_view name() const override { return "generic.dynamic_fc.int8"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    const Scratch scratch(*this, inputs[input_], outputs[0], nullptr);
    return scratch.bytes + std::max(product_.scratch_bytes(threads), static_cast<size_t>(threads) * worker_bytes());
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype("dynamic_fc", "input", in, DataType::f32);
    expect_dtype("dynamic_fc", "output", out, DataType::f32);
    const int64_t m = form_.rows_of(in.shape);
    if (m * form_.k != in.shape.count() || m * form_.n != out.shape.count()) {
      fail("dynamic_fc: %s to %s, but the weights are %lldx%lld", in.shape.str().c_str(), out.shape.str().c_str(),
           static_cast<long long>(form_.k), static_cast<long long>(form_.n));
    }
    const Scratch scratch(*this, in, out, context.scratch);
    std::byte* workers = context.scratch + scratch.bytes;
    const float* rows = in.as<const float>();
    if (in.is_map()) {
      copy_strided(in.shape, sizeof(float), in.data, strides_of(in), scratch.rows_in, row_major_strides(in.shape));
      rows = scratch.rows_in;
    }
    float* results = out.is_map() ? scratch.rows_out : out.as<float>();
    quantise(context, rows, m, scratch);
    product_.run(context.pool, workers, scratch.quantised, m, scratch.sums);
    finish(context, scratch, m, workers, results);
    if (!out.is_map()) return;
    copy_strided(out.shape, sizeof(float), results, row_major_strides(out.shape), out.data, strides_of(out));
    clear_padding(out);
  }

 private:
  // Rows in int8 with their scales, their sums, and row-major copies of maps.
  struct Scratch {
    Scratch(const DynamicFc& fc, const TensorView& in, const TensorView& out, std::byte* memory) {
      const auto take = [&](int64_t count, size_t element) {
        std::byte* taken = memory == nullptr ? nullptr : memory + bytes;
        bytes += align_up(static_cast<size_t>(count) * element);
        return taken;
      };
      quantised = reinterpret_cast<int8_t*>(take(in.shape.count(), sizeof(int8_t)));
      scales = reinterpret_cast<float*>(take(fc.form_.rows_of(in.shape), sizeof(float)));
      sums = reinterpret_cast<int32_t*>(take(out.shape.count(), sizeof(int32_t)));
      rows_in = reinterpret_cast<float*>(take(in.is_map() ? in.shape.count() : 0, sizeof(float)));
      rows_out = reinterpret_cast<float*>(take(out.is_map() ? out.shape.count() : 0, sizeof(float)));
    }

    int8_t* quantised;
    float* scales;
    int32_t* sums;
    float *rows_in, *rows_out;
    size_t bytes = 0;
  };

  MatrixProduct product_of(const graph::Node& node, const graph::Graph& graph) const {
    const auto values = constant_input(node, graph, form_.weights).as<int8_t>();
    const auto weight = [&](int64_t row, int64_t column) { return values[form_.at(row, column)]; };
    return {loops_, PackedWeights::i8(loops_, form_.k, form_.n, weight), form_.k, Epilogue::sums(form_.n)};
  }

  size_t worker_bytes() const { return align_up(static_cast<size_t>(form_.n) * sizeof(float)); }

  void quantise(const RunContext& context, const float* rows, int64_t m, const Scratch& scratch) const {
    const int64_t k = form_.k;
    parallel(context, m, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        const OwnScale own = own_scale(largest_magnitude(rows + i * k, k));
        loops_.quantise(rows + i * k, own.inverse, k, scratch.quantised + i * k);
        scratch.scales[i] = own.scale;
      }
    });
  }

  void finish(const RunContext& context, const Scratch& scratch, int64_t m, std::byte* workers, float* results) const {
    const int64_t n = form_.n;
    parallel(context, m, 1, [&](int64_t begin, int64_t end, int worker) {
      auto* factors = reinterpret_cast<float*>(workers + static_cast<size_t>(worker) * worker_bytes());
      for (int64_t i = begin; i < end; i++) {
        loops_.binary(BinaryOp::mul, {}, column_scale_.data(), 1, scratch.scales + i, 0, n, factors);
        loops_.requantise_f32(scratch.sums + i * n, factors, bias_.data(), act_, n, results + i * n);
      }
    });
  }

  FcForm form_;
  size_t input_;
  const Loops& loops_;
  std::vector<float> column_scale_, bias_;
  Activation act_;
  MatrixProduct product_;
};

}  // namespace

std::unique_ptr<Kernel> create_dynamic_fc(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<DynamicFc>(node, graph);
}

}  // namespace edgeocr::kernels::generic
