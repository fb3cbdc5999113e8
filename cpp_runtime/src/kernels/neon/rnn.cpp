// The cells of rnn: LSTM by NEON, fp32 and fp16. The bits of fp32 are the plain set's.
#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

#include "kernels/lstm.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_node.h"
#include "kernels/neon/gemm.h"
#include "kernels/neon/lstm_step.h"

namespace edgeocr::kernels::neon {

namespace {

template <class T> class NeonLstmCell : public LstmCell<T> {
 public:
  NeonLstmCell(const LstmWeights& weights, bool long_sums)
      : width_(weights.width), hidden_(weights.hidden), input_(input_product(weights, long_sums)),
        bias_(weights.bias.begin(), weights.bias.end()), step_(recurrent_step(weights)) {}

  void multiply_inputs(const T* in, int64_t rows, T* gates) const override {
    Row<T> row;
    row.segments[0] = in;
    row.pixel_step = width_;
    row.pixels = rows;
    row.out = gates;
    row.out_step = 4 * hidden_;
    input_.run(row, {.bias = bias_.data()});
  }

  int64_t state_size() const override { return hidden_; }

  void step(const T* gates, const T* h, float* state, T* h_out) const override { step_.run(gates, h, state, h_out); }

 private:
  static Gemm<T> input_product(const LstmWeights& w, bool long_sums) {
    const FloatForm form{.plain = std::is_same_v<T, float>, .long_sums = long_sums};
    const auto weight = [&](int64_t, int64_t i, int64_t gate) { return w.input[static_cast<size_t>(gate * w.width + i)]; };
    return {1, w.width, 4 * w.hidden, form, weight};
  }
  static LstmStep<T> recurrent_step(const LstmWeights& w) {
    return {w.hidden, [&](int64_t gate, int64_t unit, int64_t h) {
              return w.recurrent[static_cast<size_t>((gate * w.hidden + unit) * w.hidden + h)];
            }};
  }

  int64_t width_, hidden_;
  Gemm<T> input_;  // [width, 4 hidden]
  std::vector<T> bias_;
  LstmStep<T> step_;
};

template <class T, bool LongSums> std::unique_ptr<LstmCell<T>> make(const LstmWeights& weights) {
  return std::make_unique<NeonLstmCell<T>>(weights, LongSums);
}

}  // namespace

template <class T> bool accepts_rnn(const graph::Node& node, const graph::Graph& graph) {
  // Constants are fp32.
  const auto is_constant = [&](graph::ValueId value) { return graph.constant(value) != nullptr; };
  if (std::is_same_v<T, Half> && std::ranges::any_of(node.all_inputs("PreState"), is_constant)) return false;
  return (std::is_same_v<T, float> || computes_in<T>(node)) && accepts_lstm(node, graph, Vec<T>::kLanes);
}

template <class T> std::unique_ptr<Kernel> create_rnn(const graph::Node& node, const graph::Graph& graph) {
  LstmCellFactory<T>* make_cell = graph::has_long_sums(node) ? make<T, true> : make<T, false>;
  return create_lstm<T>(node, graph, float_name<T>("neon.rnn.lstm", "neon.rnn.lstm.fp16"), make_cell);
}

template bool accepts_rnn<float>(const graph::Node&, const graph::Graph&);
template bool accepts_rnn<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_rnn<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_rnn<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
