// rnn: LSTM of any number of layers, one or both directions; gates in the order input, forget, cell, output (NB_FORMAT §6).
//
// The input products of all steps are one matrix product per layer and direction; the recurrent weights are packed so that
// the loop runs over units. One sequence in one direction is one task.
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/matrix_product.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

struct Cell {
  MatrixProduct input;      // [I, 4H], with both biases
  PackedWeights recurrent;  // [H, 4H]
};

class Lstm : public Kernel {
 public:
  Lstm(const graph::Node& node, const graph::Graph& graph)
      : loops_(current_loops()), input_(input_index(node, "Input")), h0_(input_index(node, "PreState", 0)),
        c0_(input_index(node, "PreState", 1)), output_(output_index(node, "Out")), layers_(node.attr_int("num_layers", 1)),
        directions_(node.attr_int("is_bidirec", 0) != 0 ? 2 : 1), hidden_(node.attr_int("hidden_size")) {
    const std::string mode = node.attr_string("mode", "LSTM");
    if (mode != "LSTM") fail("%s: mode is %s, expected LSTM", node.label().c_str(), mode.c_str());
    if (node.input("SequenceLength") != graph::kNoValue)
      fail("%s: SequenceLength is given, expected sequences of equal length", node.label().c_str());
    if (layers_ < 1 || hidden_ < 1) {
      fail("%s: %lld layers of %lld units, expected at least 1", node.label().c_str(), static_cast<long long>(layers_),
           static_cast<long long>(hidden_));
    }
    for (const graph::Port& port : node.outputs)
      if (port.value != graph::kNoValue && port.parameter != "Out")
        fail("%s: output %s is read, expected Out alone", node.label().c_str(), port.parameter.c_str());
    const auto cells = layers_ * directions_;
    if (node.all_inputs("WeightList").size() != static_cast<size_t>(4 * cells)) {
      fail("%s: WeightList has %zu tensors, expected %lld", node.label().c_str(), node.all_inputs("WeightList").size(),
           static_cast<long long>(4 * cells));
    }
    int64_t width = node.attr_int("input_size");
    for (int64_t layer = 0; layer < layers_; layer++, width = hidden_ * directions_)
      for (int64_t direction = 0; direction < directions_; direction++)
        cells_.push_back(read_cell(node, graph, static_cast<int>(layer * directions_ + direction), static_cast<int>(cells), width));
  }

  std::string_view name() const override { return "generic.rnn.lstm"; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return workspace(inputs[input_], threads).bytes;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[output_];
    check(in, inputs[h0_], inputs[c0_], out);
    const int64_t steps = in.shape[0], batch = in.shape[1];
    const Workspace space = workspace(in, context.pool.threads());
    auto* gates = reinterpret_cast<float*>(context.scratch);
    auto* between = reinterpret_cast<float*>(context.scratch + space.between);
    std::byte* workers = context.scratch + space.workers;
    const void* layer_in = in.data;
    for (int64_t layer = 0; layer < layers_; layer++) {
      // Layers write by turns to the output and to scratch, so that the last one writes the output.
      float* layer_out = (layers_ - 1 - layer) % 2 == 0 ? out.as<float>() : between;
      const int64_t gate_count = steps * batch * 4 * hidden_;
      for (int64_t d = 0; d < directions_; d++)
        cell(layer, d).input.run(context.pool, workers, layer_in, steps * batch, gates + d * gate_count);
      parallel(context, directions_ * batch, 1, [&](int64_t begin, int64_t end, int worker) {
        auto* state = reinterpret_cast<float*>(workers + static_cast<size_t>(worker) * state_bytes());
        for (int64_t task = begin; task < end; task++) {
          const int64_t d = task / batch, b = task % batch, at = ((layer * directions_ + d) * batch + b) * hidden_;
          run_sequence(cell(layer, d), gates + d * gate_count, inputs[h0_].as<const float>() + at, inputs[c0_].as<const float>() + at,
                       steps, batch, b, d, state, layer_out);
        }
      });
      layer_in = layer_out;
    }
  }

 private:
  struct Workspace {
    size_t between, workers, bytes;
  };

  Cell read_cell(const graph::Node& node, const graph::Graph& graph, int index, int cells, int64_t width) const {
    const auto read = [&](int position, const Shape& shape) {
      const graph::Constant& constant = constant_input(node, graph, "WeightList", position);
      if (constant.dtype != DataType::f32 || !(constant.shape == shape)) {
        fail("%s: WeightList %d is %s %s, expected fp32 %s", node.label().c_str(), position, name_of(constant.dtype),
             constant.shape.str().c_str(), shape.str().c_str());
      }
      return constant.as<float>();
    };
    const int64_t gates = 4 * hidden_;
    const auto w_ih = read(2 * index, {gates, width}), w_hh = read(2 * index + 1, {gates, hidden_});
    const auto b_ih = read(2 * (cells + index), {gates}), b_hh = read(2 * (cells + index) + 1, {gates});
    std::vector<float> bias(static_cast<size_t>(gates));
    for (size_t i = 0; i < bias.size(); i++) bias[i] = b_ih[i] + b_hh[i];
    const auto transposed = [](std::span<const float> weights, int64_t inner) {
      return PackedWeights::f32(inner, static_cast<int64_t>(weights.size()) / inner,
                                [=](int64_t k, int64_t n) { return weights[static_cast<size_t>(n * inner + k)]; });
    };
    return {{loops_, transposed(w_ih, width), width, Epilogue::fp32(std::move(bias), {})}, transposed(w_hh, hidden_)};
  }

  const Cell& cell(int64_t layer, int64_t direction) const { return cells_[static_cast<size_t>(layer * directions_ + direction)]; }

  // h, c and the gates of one step
  size_t state_bytes() const { return align_up(static_cast<size_t>(2 * hidden_ + padded_columns(4 * hidden_)) * sizeof(float)); }

  Workspace workspace(const TensorView& in, int threads) const {
    const int64_t rows = in.shape[0] * in.shape[1];
    size_t product = 0;
    for (const Cell& c : cells_) product = std::max(product, c.input.scratch_bytes(threads));
    Workspace space;
    space.between = align_up(static_cast<size_t>(directions_ * rows * 4 * hidden_) * sizeof(float));
    space.workers = space.between + (layers_ > 1 ? align_up(static_cast<size_t>(rows * directions_ * hidden_) * sizeof(float)) : 0);
    space.bytes = space.workers + std::max(product, static_cast<size_t>(threads) * state_bytes());
    return space;
  }

  void check(const TensorView& in, const TensorView& h0, const TensorView& c0, const TensorView& out) const {
    for (const TensorView* view : {&in, &h0, &c0, &out}) expect_dtype("rnn", "a tensor", *view, DataType::f32);
    if (in.shape.rank() != 3 || in.shape[2] != cells_[0].input.k()) {
      fail("rnn: Input is %s, expected time x batch x %lld", in.shape.str().c_str(), static_cast<long long>(cells_[0].input.k()));
    }
    const Shape state{layers_ * directions_, in.shape[1], hidden_}, expected{in.shape[0], in.shape[1], directions_ * hidden_};
    if (!(h0.shape == state) || !(c0.shape == state) || !(out.shape == expected)) {
      fail("rnn: PreState is %s and %s, Out is %s, expected %s and %s", h0.shape.str().c_str(), c0.shape.str().c_str(),
           out.shape.str().c_str(), state.str().c_str(), expected.str().c_str());
    }
  }

  // Sequence b of the batch in one direction; out is [steps, batch, directions * hidden].
  void run_sequence(const Cell& cell, const float* gates, const float* h0, const float* c0, int64_t steps, int64_t batch, int64_t b,
                    int64_t direction, float* state, float* out) const {
    float *h = state, *c = h + hidden_, *step_gates = c + hidden_;
    const auto unit_bytes = static_cast<size_t>(hidden_) * sizeof(float);
    std::memcpy(h, h0, unit_bytes);
    std::memcpy(c, c0, unit_bytes);
    for (int64_t i = 0; i < steps; i++) {
      const int64_t row = (direction == 0 ? i : steps - 1 - i) * batch + b;
      loops_.gemm_f32(h, hidden_, 1, static_cast<const float*>(cell.recurrent.data()), hidden_, 4 * hidden_, step_gates, 0);
      loops_.accumulate(gates + row * 4 * hidden_, 4 * hidden_, step_gates);
      loops_.lstm_cell(step_gates, hidden_, c, h);
      std::memcpy(out + (row * directions_ + direction) * hidden_, h, unit_bytes);
    }
  }

  const Loops& loops_;
  size_t input_, h0_, c0_, output_;
  int64_t layers_, directions_, hidden_;
  std::vector<Cell> cells_;
};

}  // namespace

std::unique_ptr<Kernel> create_rnn(const graph::Node& node, const graph::Graph& graph) { return std::make_unique<Lstm>(node, graph); }

}  // namespace edgeocr::kernels::generic
