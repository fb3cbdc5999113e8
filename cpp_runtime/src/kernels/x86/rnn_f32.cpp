// The cells of rnn: LSTM for x86. A step multiplies h by the recurrent weights, adds the input products on registers and applies the plain
// set's cell, so its bits are the plain set's.
#include <memory>
#include <vector>

#include "kernels/generic/loops.h"
#include "kernels/lstm.h"
#include "kernels/x86/gemm_f32.h"
#include "kernels/x86/kernels_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

class LstmCellF32 : public LstmCell<float> {
 public:
  explicit LstmCellF32(const LstmWeights& weights)
      : loops_(generic::current_loops()), width_(weights.width), hidden_(weights.hidden),
        input_(product(weights.input, width_, hidden_, {}, GemmRows::many)), bias_(weights.bias),
        recurrent_(product(weights.recurrent, hidden_, hidden_, {FormF32::Act::none, true}, GemmRows::single)),
        zeros_(weights.bias.size(), 0.0f) {}

  void multiply_inputs(const float* in, int64_t rows, float* gates) const override {
    RowF32 row;
    row.segments[0] = in;
    row.pixel_step = width_;
    row.pixels = rows;
    row.out = gates;
    row.out_step = 4 * hidden_;
    input_.run(row, {.bias = bias_.data()});
  }

  // The cell, and the gates of a step.
  int64_t state_size() const override { return 5 * hidden_; }

  void step(const float* gates, const float* h, float* state, float* h_out) const override {
    float* sums = state + hidden_;
    RowF32 row;
    row.segments[0] = h;
    row.pixels = 1;
    row.out = sums;
    row.residual = gates;
    recurrent_.run(row, {.bias = zeros_.data()});
    loops_.lstm_cell(sums, hidden_, state, h_out);
  }

 private:
  // weights: [4 hidden, k]
  static GemmF32 product(std::span<const float> weights, int64_t k, int64_t hidden, const FormF32& form, GemmRows rows) {
    const auto weight = [=](int64_t, int64_t i, int64_t gate) { return weights[static_cast<size_t>(gate * k + i)]; };
    return {1, k, 4 * hidden, form, weight, false, rows};
  }

  const generic::Loops& loops_;
  int64_t width_, hidden_;
  GemmF32 input_;  // [width, 4 hidden]
  std::vector<float> bias_;
  GemmF32 recurrent_;         // [hidden, 4 hidden]
  std::vector<float> zeros_;  // the recurrent product's bias
};

}  // namespace

bool accepts_rnn_f32(const graph::Node& node, const graph::Graph& graph) { return accepts_lstm(node, graph, 4); }

std::unique_ptr<Kernel> create_rnn_f32(const graph::Node& node, const graph::Graph& graph) {
  return create_lstm<float>(node, graph, "x86.rnn.lstm", [](const LstmWeights& weights) -> std::unique_ptr<LstmCell<float>> {
    return std::make_unique<LstmCellF32>(weights);
  });
}

}  // namespace edgeocr::kernels::x86
