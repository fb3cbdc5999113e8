// The cells of rnn: LSTM by NEON. The bits are the plain set's.
#include <memory>
#include <utility>

#include "kernels/lstm.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/gemm_f32.h"
#include "kernels/neon/lstm_f32.h"

namespace edgeocr::kernels::neon {

namespace {

class LstmCellF32 : public LstmCell {
 public:
  explicit LstmCellF32(const LstmWeights& weights)
      : width_(weights.width), hidden_(weights.hidden), input_(input_product(weights)), bias_(weights.bias),
        step_(recurrent_step(weights)) {}

  void multiply_inputs(const float* in, int64_t rows, float* gates) const override {
    RowF32 row;
    row.segments[0] = in;
    row.pixel_step = width_;
    row.pixels = rows;
    row.out = gates;
    row.out_step = 4 * hidden_;
    input_.run(row, {.bias = bias_.data()});
  }

  int64_t state_size() const override { return hidden_; }

  void step(const float* gates, const float* h, float* state, float* h_out) const override { step_.run(gates, h, state, h_out); }

 private:
  static GemmF32 input_product(const LstmWeights& w) {
    return {
        1, w.width, 4 * w.hidden, {}, [&](int64_t, int64_t i, int64_t gate) { return w.input[static_cast<size_t>(gate * w.width + i)]; }};
  }
  static LstmStepF32 recurrent_step(const LstmWeights& w) {
    return {w.hidden, [&](int64_t gate, int64_t unit, int64_t h) {
              return w.recurrent[static_cast<size_t>((gate * w.hidden + unit) * w.hidden + h)];
            }};
  }

  int64_t width_, hidden_;
  GemmF32 input_;  // [width, 4 hidden]
  std::vector<float> bias_;
  LstmStepF32 step_;
};

}  // namespace

bool accepts_rnn_f32(const graph::Node& node, const graph::Graph& graph) { return accepts_lstm(node, graph); }

std::unique_ptr<Kernel> create_rnn_f32(const graph::Node& node, const graph::Graph& graph) {
  return create_lstm(node, graph, "neon.rnn.lstm",
                     [](const LstmWeights& weights) -> std::unique_ptr<LstmCell> { return std::make_unique<LstmCellF32>(weights); });
}

}  // namespace edgeocr::kernels::neon
