#include "kernels/lstm.h"

#include <algorithm>
#include <utility>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/simd/vector.h"
#include "kernels/tail.h"

namespace edgeocr::kernels {

namespace {

template <class T> class Lstm : public Kernel {
 public:
  Lstm(const graph::Node& node, const graph::Graph& graph, std::string_view name, LstmCellFactory<T> make_cell)
      : name_(name), input_(generic::input_index(node, "Input")), h0_(generic::input_index(node, "PreState", 0)),
        c0_(generic::input_index(node, "PreState", 1)), output_(generic::output_index(node, "Out")),
        layers_(node.attr_int("num_layers", 1)), directions_(node.attr_int("is_bidirec", 0) != 0 ? 2 : 1),
        width_(node.attr_int("input_size")), hidden_(node.attr_int("hidden_size")) {
    for (int64_t layer = 0; layer < layers_; layer++)
      for (int64_t direction = 0; direction < directions_; direction++)
        cells_.push_back(make_cell(
            read_weights(node, graph, static_cast<int>(layer * directions_ + direction), layer == 0 ? width_ : directions_ * hidden_)));
  }

  std::string_view name() const override { return name_; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return workspace(inputs[input_], threads).bytes;
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[output_];
    check(in, inputs[h0_], inputs[c0_], out);
    const int64_t steps = in.shape[0], batch = in.shape[1], rows = steps * batch;
    const Workspace space = workspace(in, context.pool.threads());
    auto* gates = reinterpret_cast<T*>(context.scratch);
    auto* between = reinterpret_cast<T*>(context.scratch + space.between);
    T* const last = is_own(out.dtype) ? out.as<T>() : reinterpret_cast<T*>(context.scratch + space.last);
    const T* layer_in = in.as<const T>();
    int64_t width = width_;
    for (int64_t layer = 0; layer < layers_; layer++) {
      // Layers write by turns to two places, so that the last one writes the output.
      T* layer_out = (layers_ - 1 - layer) % 2 == 0 ? last : between;
      for (int64_t d = 0; d < directions_; d++)
        multiply_inputs(context, cell(layer, d), layer_in, width, rows, gates + d * rows * 4 * hidden_);
      generic::parallel(context, directions_ * batch, 1, [&](int64_t begin, int64_t end, int worker) {
        auto* state = reinterpret_cast<float*>(context.scratch + space.workers + static_cast<size_t>(worker) * space.state);
        for (int64_t task = begin; task < end; task++) {
          const int64_t d = task / batch, b = task % batch, at = ((layer * directions_ + d) * batch + b) * hidden_;
          std::copy_n(inputs[c0_].as<const T>() + at, hidden_, state);
          run_sequence(cell(layer, d), gates + d * rows * 4 * hidden_, steps, batch, b, d, inputs[h0_].as<const T>() + at, state,
                       layer_out);
        }
      });
      layer_in = layer_out;
      width = directions_ * hidden_;
    }
    if (!is_own(out.dtype)) std::copy_n(last, out.shape.count(), out.as<float>());
  }

 private:
  struct Workspace {
    size_t between, last, workers, state, bytes;  // state: of a worker
  };

  // Whether a tensor holds what the cells compute in, not fp32 instead of it.
  static bool is_own(DataType dtype) { return std::is_same_v<T, float> || dtype != DataType::f32; }

  LstmWeights read_weights(const graph::Node& node, const graph::Graph& graph, int index, int64_t width) const {
    const auto cells = static_cast<int>(layers_ * directions_);
    const auto read = [&](int position) { return generic::constant_input(node, graph, "WeightList", position).as<float>(); };
    const auto b_ih = read(2 * (cells + index)), b_hh = read(2 * (cells + index) + 1);
    std::vector<float> bias(static_cast<size_t>(4 * hidden_));
    for (size_t i = 0; i < bias.size(); i++) bias[i] = b_ih[i] + b_hh[i];
    return {width, hidden_, read(2 * index), read(2 * index + 1), std::move(bias)};
  }

  const LstmCell<T>& cell(int64_t layer, int64_t direction) const { return *cells_[static_cast<size_t>(layer * directions_ + direction)]; }

  Workspace workspace(const TensorView& in, int threads) const {
    const int64_t rows = in.shape[0] * in.shape[1];
    const size_t layer = align_up(static_cast<size_t>(rows * directions_ * hidden_) * sizeof(T));
    Workspace space;
    space.between = align_up(static_cast<size_t>(directions_ * rows * 4 * hidden_) * sizeof(T));
    space.last = space.between + (layers_ > 1 ? layer : 0);
    space.workers = space.last + (std::is_same_v<T, float> ? 0 : layer);
    space.state = align_up(static_cast<size_t>(cells_[0]->state_size()) * sizeof(float));
    space.bytes = space.workers + static_cast<size_t>(threads) * space.state;
    return space;
  }

  void check(const TensorView& in, const TensorView& h0, const TensorView& c0, const TensorView& out) const {
    if (in.shape.rank() != 3 || in.shape[2] != width_) {
      fail("rnn: Input is %s, expected time x batch x %lld", in.shape.str().c_str(), static_cast<long long>(width_));
    }
    const Shape state{layers_ * directions_, in.shape[1], hidden_}, expected{in.shape[0], in.shape[1], directions_ * hidden_};
    if (!(h0.shape == state) || !(c0.shape == state) || !(out.shape == expected)) {
      fail("rnn: PreState is %s and %s, Out is %s, expected %s and %s", h0.shape.str().c_str(), c0.shape.str().c_str(),
           out.shape.str().c_str(), state.str().c_str(), expected.str().c_str());
    }
  }

  void multiply_inputs(const RunContext& context, const LstmCell<T>& cell, const T* in, int64_t width, int64_t rows, T* gates) const {
    generic::parallel(context, rows, 4, [&](int64_t begin, int64_t end, int) {
      cell.multiply_inputs(in + begin * width, end - begin, gates + begin * 4 * hidden_);
    });
  }

  // Sequence b of the batch in one direction; out is [steps, batch, directions * hidden].
  void run_sequence(const LstmCell<T>& cell, const T* gates, int64_t steps, int64_t batch, int64_t b, int64_t direction, const T* h,
                    float* state, T* out) const {
    for (int64_t i = 0; i < steps; i++) {
      const int64_t at = (direction == 0 ? i : steps - 1 - i) * batch + b;
      T* h_out = out + (at * directions_ + direction) * hidden_;
      cell.step(gates + at * 4 * hidden_, h, state, h_out);
      h = h_out;
    }
  }

  std::string_view name_;
  size_t input_, h0_, c0_, output_;
  int64_t layers_, directions_, width_, hidden_;
  std::vector<std::unique_ptr<LstmCell<T>>> cells_;
};

}  // namespace

bool accepts_lstm(const graph::Node& node, const graph::Graph& graph, int64_t lanes) {
  if (node.attr_string("mode", "LSTM") != "LSTM" || node.input("SequenceLength") != graph::kNoValue) return false;
  const int64_t layers = node.attr_int("num_layers", 1), directions = node.attr_int("is_bidirec", 0) != 0 ? 2 : 1;
  const int64_t width = node.attr_int("input_size"), hidden = node.attr_int("hidden_size");
  if (parse_tail(node, graph).has_steps() || layers < 1 || width < lanes || width % lanes != 0 || hidden < lanes || hidden % lanes != 0)
    return false;
  const int64_t cells = layers * directions;
  if (node.all_inputs("WeightList").size() != static_cast<size_t>(4 * cells)) return false;
  const auto is = [&](int64_t position, const Shape& shape) {
    const graph::Constant* constant = graph.constant(node.input("WeightList", static_cast<int>(position)));
    return constant != nullptr && constant->dtype == DataType::f32 && constant->shape == shape;
  };
  for (int64_t i = 0; i < cells; i++) {
    const int64_t k = i < directions ? width : directions * hidden;
    if (!is(2 * i, {4 * hidden, k}) || !is(2 * i + 1, {4 * hidden, hidden}) || !is(2 * (cells + i), {4 * hidden}) ||
        !is(2 * (cells + i) + 1, {4 * hidden}))
      return false;
  }
  return std::ranges::all_of(node.outputs,
                             [](const graph::Port& port) { return port.value == graph::kNoValue || port.parameter == "Out"; });
}

template <class T>
std::unique_ptr<Kernel> create_lstm(const graph::Node& node, const graph::Graph& graph, std::string_view name,
                                    LstmCellFactory<T> make_cell) {
  return std::make_unique<Lstm<T>>(node, graph, name, make_cell);
}

template std::unique_ptr<Kernel> create_lstm<float>(const graph::Node&, const graph::Graph&, std::string_view, LstmCellFactory<float>);
#if defined(__aarch64__)
template std::unique_ptr<Kernel> create_lstm<Half>(const graph::Node&, const graph::Graph&, std::string_view, LstmCellFactory<Half>);
#endif

}  // namespace edgeocr::kernels
