// fc, mul and matmul of precision int8 with constant weights, and dynamic_fc: rows [M, K] times W [K, N]. The weights of a block of
// columns meet all rows before the next, so that they are read from memory once.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/fused_tail.h"
#include "graph/precision.h"
#include "kernels/generic/fc_form.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/requantisation.h"
#include "kernels/generic/views.h"
#include "kernels/int8/fc_rows.h"
#include "kernels/int8/gemm.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/int8/operators.h"

namespace edgeocr::kernels::int8 {

namespace {

using generic::FcForm, generic::Requantisation;

constexpr int64_t kRows = 64;              // at a time, so that they stay in the cache
constexpr int64_t kBlockColumns = 8 * 24;  // whole tiles of Gemm
constexpr int64_t kVector = 8;             // columns that Gemm computes at least

constexpr int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

bool is_int8_out(const graph::Node& node) { return node.alias == "int8out"; }

// An int8 output of the node's own is a tail that rounds.
TailParameters tail_of(const graph::Node& node, const graph::Graph& graph) {
  TailParameters tail = parse_tail(node, graph);
  if (is_int8_out(node)) tail.outputs = {{DataType::i8, 1.0f}};
  return tail;
}

class Fc : public Kernel {
 public:
  Fc(const graph::Node& node, const graph::Graph& graph) : Fc(node, graph, generic::fc_form(node, graph)) {}

  std::string_view name() const override { return name_; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return rows_.scratch_bytes(inputs[input_]) + copy_bytes(outputs[0]) + static_cast<size_t>(threads) * kWorkerBytes;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    generic::expect_dtype(name(), "input", in, rows_.dtype());
    const int64_t m = form_.rows_of(in.shape);
    if (m * form_.k != in.shape.count() || m * form_.n != out.shape.count()) {
      fail("fc: %s to %s, but the weights are %lldx%lld", in.shape.str().c_str(), out.shape.str().c_str(), static_cast<long long>(form_.k),
           static_cast<long long>(form_.n));
    }
    std::byte* scratch = context.scratch;
    const FcRows::Rows rows = rows_.prepare(context, in, scratch);
    scratch += rows_.scratch_bytes(in);
    if (!out.is_map()) return run_blocks(context, scratch, rows, m, inputs, outputs);
    const TensorView dense{out.dtype, out.shape, scratch};
    run_blocks(context, scratch + copy_bytes(out), rows, m, inputs, {&dense, 1});
    const generic::Strides from = generic::row_major_strides(out.shape);
    generic::copy_strided(out.shape, size_of(out.dtype), scratch, from, out.data, generic::strides_of(out));
    generic::clear_padding(out);
  }

 private:
  // Columns that one Gemm computes; those beyond N have weights of zero.
  struct Block {
    int64_t column, columns;
    Gemm gemm;
    bool direct;  // results are stored where they belong
  };
  // Results of a block that are not stored at once, and one row to work on.
  static constexpr size_t kWorkerBytes = static_cast<size_t>((kRows + 1) * kBlockColumns) * sizeof(float);

  Fc(const graph::Node& node, const graph::Graph& graph, const FcForm& form)
      : name_(kernel_name(generic::is_dynamic_fc(node) ? "dynamic_fc.int8" : "fc.int8")), loops_(generic::current_loops()), form_(form),
        input_(generic::input_index(node, form.input)), rows_(form.k, generic::is_dynamic_fc(node)), tail_(tail_of(node, graph)) {
    Requantisation own = generic::fc_requantisation(node, graph, form);
    const Activation act = own.act;
    scale_ = std::move(own.scale);
    bias_ = std::move(own.bias);
    scale_.resize(static_cast<size_t>(round_up(form.n, kVector)), 0.0f);
    bias_.resize(scale_.size(), 0.0f);
    finish_ = finish_columns(form_.n, act, tail_);
    tail_.addend.resize(tail_.addend.empty() ? 0 : scale_.size());
    if (generic::is_dynamic_fc(node)) choose_row_form(act);
    else choose_form(act);
    pack(generic::constant_input(node, graph, form.weights));
  }

  // Rows with scales of their own have one form.
  void choose_row_form(const Activation& own) {
    end_ = between_ = {Function::by_row, Store::fp32};
    const std::optional<Activation> act = single_activation(own);
    const bool linear = act && (act->kind == ActKind::none || act->kind == ActKind::relu);
    direct_ = linear && tail_.addend.empty() && tail_.residual < 0 && tail_.outputs.size() == 1 && !tail_.outputs[0].int8();
    constants_.floor = direct_ && act->kind == ActKind::relu ? 0 : -std::numeric_limits<float>::infinity();
  }

  // What Gemm can do to a value before it stores it; other ends are left to FinishColumns.
  void choose_form(const Activation& own) {
    constants_.floor = -std::numeric_limits<float>::infinity();
    const std::optional<Activation> act = single_activation(own);
    const int added = (tail_.addend.empty() ? 0 : 1) + (tail_.residual >= 0 ? 1 : 0);
    if (!act || form_.alpha != 1.0f || tail_.outputs.size() != 1 || added > 1) return;
    const bool linear = act->kind == ActKind::none || act->kind == ActKind::relu;
    direct_ = added == 0 ? linear || act->kind == ActKind::hard_swish : act->kind == ActKind::none;
    if (!direct_) return;
    end_.function = added == 1 ? Function::residual : linear ? Function::linear : Function::hard_swish;
    end_.store = tail_.outputs[0].int8() ? Store::calib : Store::fp32;
    constants_.calib = tail_.outputs[0].inverse_scale;
    if (act->kind == ActKind::relu) constants_.floor = 0, constants_.low = 0;
    constants_.offset = act->offset;
    constants_.threshold = act->threshold;
    constants_.inverse_scale = act->inverse_scale;
  }

  // The one activation that the node's own and its tail's come to.
  std::optional<Activation> single_activation(const Activation& own) const {
    if (!tail_.activation) return own;
    const UnaryOp op = tail_.activation->op;
    if (own.kind != ActKind::none || (op != UnaryOp::relu && op != UnaryOp::hard_swish)) return {};
    return tail_.activation->parameters.act;
  }

  void pack(const graph::Constant& weights) {
    const auto values = weights.as<int8_t>();
    int64_t columns = 0;
    for (int64_t first = 0; first < form_.n; first += columns) {
      const int64_t left = form_.n - first;
      columns = left >= kVector ? std::min(kBlockColumns, left / kVector * kVector) : left;
      const bool direct = direct_ && columns % kVector == 0;
      const auto weight = [&, first](int64_t, int64_t k, int64_t column) {
        return k < form_.k && first + column < form_.n ? values[form_.at(k, first + column)] : int8_t{0};
      };
      blocks_.push_back({first, columns, Gemm(1, rows_.stride(), round_up(columns, kVector), direct ? end_ : between_, weight), direct});
    }
  }

  // An output that is a map passes through a row-major copy.
  static size_t copy_bytes(const TensorView& view) {
    return view.is_map() ? align_up(static_cast<size_t>(view.shape.count()) * size_of(view.dtype)) : 0;
  }

  void run_blocks(const RunContext& context, std::byte* workers, const FcRows::Rows& rows, int64_t m, std::span<const TensorView> inputs,
                  std::span<const TensorView> outputs) const {
    generic::parallel(context, static_cast<int64_t>(blocks_.size()), 1, [&](int64_t begin, int64_t end, int worker) {
      auto* scratch = reinterpret_cast<float*>(workers + static_cast<size_t>(worker) * kWorkerBytes);
      for (int64_t block = begin; block < end; block++)
        for (int64_t first = 0; first < m; first += kRows)
          run_block(blocks_[static_cast<size_t>(block)], rows, first, std::min(kRows, m - first), scratch, inputs, outputs);
    });
  }

  void run_block(const Block& block, const FcRows::Rows& rows, int64_t first, int64_t count, float* scratch,
                 std::span<const TensorView> inputs, std::span<const TensorView> outputs) const {
    FinishConstants constants = constants_;
    constants.scale = scale_.data() + block.column;
    constants.bias = bias_.data() + block.column;
    if (!block.direct) constants.floor = -std::numeric_limits<float>::infinity();
    GemmRow row{.pixel_step = rows_.stride(), .pixels = count};
    row.segments[0] = rows.values + first * rows_.stride();
    if (rows.scales != nullptr) row.scale = rows.scales + first, row.scale_step = 1;
    const int64_t width = round_up(block.columns, kVector);
    if (block.direct) {
      const auto element = static_cast<int64_t>(size_of(outputs[0].dtype));
      row.out = outputs[0].as<std::byte>() + (first * form_.n + block.column) * element;
      row.out_step = form_.n * element;
      add(row, block, first, inputs);
    } else {
      row.out = reinterpret_cast<std::byte*>(scratch);
      row.out_step = width * static_cast<int64_t>(sizeof(float));
    }
    block.gemm.run(row, constants);
    if (block.direct) return;
    if (form_.alpha != 1.0f) loops_.multiply(form_.alpha, count * width, scratch);
    for (int64_t i = 0; i < count; i++)
      finish_->run(scratch + i * width, scratch + kRows * kBlockColumns, first + i, block.column, block.columns, inputs, outputs);
  }

  // What the tail adds: a row for all rows, or a matrix.
  void add(GemmRow& row, const Block& block, int64_t first, std::span<const TensorView> inputs) const {
    if (!tail_.addend.empty()) row.residual = tail_.addend.data() + block.column;
    if (tail_.residual < 0) return;
    row.residual = inputs[static_cast<size_t>(tail_.residual)].as<const float>() + first * form_.n + block.column;
    row.residual_step = form_.n;
  }

  std::string name_;
  const generic::Loops& loops_;
  FcForm form_;
  size_t input_;
  FcRows rows_;
  TailParameters tail_;
  std::vector<float> scale_, bias_;  // one per column, padded to vectors
  std::unique_ptr<FinishColumns> finish_;
  bool direct_ = false;
  Form end_, between_;  // of direct results, and of those that FinishColumns ends
  FinishConstants constants_;
  std::vector<Block> blocks_;
};

}  // namespace

bool accepts_fc(const graph::Node& node, const graph::Graph& graph) {
  if (usable_loops() == nullptr || (node.precision != graph::kInt8Precision && !generic::is_dynamic_fc(node))) return false;
  if (node.op.starts_with("matmul") && !generic::works_like_fc(node, graph)) return false;
  const FcForm form = generic::fc_form(node, graph);
  if (is_int8_out(node) && form.alpha != 1.0f) return false;
  if (!generic::fc_requantisation(node, graph, form).is_finite()) return false;
  return !parse_tail(node, graph).has_f16_output() && generic::fits_one_copy(node, form);
}

std::unique_ptr<Kernel> create_fc(const graph::Node& node, const graph::Graph& graph) { return std::make_unique<Fc>(node, graph); }

}  // namespace edgeocr::kernels::int8
