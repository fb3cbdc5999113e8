// fc, mul, matmul, matmul_v2 and rnn against loops in double precision.
#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

// out[m, n] = sum over k, in double.
std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b, int64_t m, int64_t k, int64_t n) {
  std::vector<double> out(static_cast<size_t>(m * n), 0.0);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++)
      for (int64_t l = 0; l < k; l++)
        out[static_cast<size_t>(i * n + j)] += a[static_cast<size_t>(i * k + l)] * b[static_cast<size_t>(l * n + j)];
  return out;
}
template <class T> std::vector<double> doubles(const std::vector<T>& values) { return {values.begin(), values.end()}; }

struct FcCase {
  Shape in;
  int rows;  // leading dimensions of `in` that count rows
  int64_t m = 1, k = 1, n;
  Shape out;
  std::string str() const { return in.str() + " rows " + std::to_string(rows) + " to " + out.str(); }
};
FcCase fc_case(Random& random, bool last_only) {
  FcCase c;
  const int rank = static_cast<int>(random.integer(2, 4));
  std::vector<int64_t> dims;
  for (int i = 0; i < rank; i++) dims.push_back(random.integer(1, i == rank - 1 ? 40 : 5));
  if (random.chance(20)) dims[0] = random.integer(40, 110);
  c.in = Shape(dims);
  c.rows = last_only ? rank - 1 : static_cast<int>(random.integer(1, rank - 1));
  for (int i = 0; i < rank; i++) (i < c.rows ? c.m : c.k) *= dims[static_cast<size_t>(i)];
  c.n = random.chance(20) ? random.integer(120, 300) : random.integer(1, 40);
  std::vector<int64_t> out(dims.begin(), dims.begin() + c.rows);
  out.push_back(c.n);
  c.out = Shape(out);
  return c;
}

Dense<float> as_dense(const Shape& shape, const std::vector<double>& values) {
  Dense<float> d(shape);
  for (size_t i = 0; i < values.size(); i++) d.data[i] = static_cast<float>(values[i]);
  return d;
}

void check_levels(const Operator& op, const Dense<float>& expected) {
  for (const Tensor& level : op.all_levels()) check_close(level.dense<float>(), expected);
}

}  // namespace

TEST_CASE("fc in fp32 flattens in NCHW order and adds bias and activation") {
  Random random(61);
  for (int i = 0; i < 200; i++) {
    const bool from_matmul = random.chance(40), bias = random.chance(70), relu = random.chance(30);
    const FcCase c = fc_case(random, from_matmul);
    CAPTURE(c.str());
    const float reach = 1.0f / std::sqrt(static_cast<float>(c.k));
    const Dense<float> in = random.reals(c.in), w = random.reals({c.k, c.n}, -reach, reach), b = random.reals({c.n});
    std::vector<double> expected = product(doubles(in.data), doubles(w.data), c.m, c.k, c.n);
    for (size_t at = 0; at < expected.size(); at++) {
      if (bias) expected[at] += b.data[at % static_cast<size_t>(c.n)];
      if (relu) expected[at] = std::max(expected[at], 0.0);
    }
    Operator op("fc");
    op.attribute("in_num_col_dims", static_cast<int32_t>(from_matmul ? 1 : c.rows));
    if (from_matmul) op.attribute("op_type", std::string(random.pick({"matmul", "matmul_v2"})));
    if (relu) op.attribute("activation_type", std::string("relu"));
    if (bias) op.constant("Bias", b);
    op.input("Input", in);
    op.constant("W", w);
    op.output("Out", DataType::f32, c.out);
    check_levels(op, as_dense(c.out, expected));
  }
}

TEST_CASE("fc and matmul in int8 equal the statement of the arithmetic to the bit") {
  Random random(62);
  for (int i = 0; i < 200; i++) {
    const bool matmul = random.chance(40), int8_out = !matmul && random.chance(30), bias = !matmul && random.chance(70);
    const FcCase c = fc_case(random, matmul);
    CAPTURE(c.str());
    CAPTURE(int8_out);
    const Dense<int8_t> in = random.int8s(c.in), w = random.int8s({c.k, c.n});
    const Dense<float> b = random.reals({c.n});
    const float si = random.real(0.001f, 0.05f), so = random.real(0.01f, 0.2f);
    std::vector<float> ws;
    for (int64_t o = 0; o < c.n; o++) ws.push_back(random.real(0.0005f, 0.01f));
    const std::vector<double> sums = product(doubles(in.data), doubles(w.data), c.m, c.k, c.n);  // exact
    Dense<float> real(c.out);
    Dense<int8_t> rounded(c.out);
    for (size_t at = 0; at < sums.size(); at++) {
      const size_t o = at % static_cast<size_t>(c.n);
      const float beta = bias ? b.data[o] : 0.0f, acc = static_cast<float>(sums[at]);
      real.data[at] = std::fma(acc, ws[o] * si, beta);
      rounded.data[at] = static_cast<int8_t>(std::clamp(std::round(std::fma(acc, ws[o] * (si / so), beta / so)), -127.0f, 127.0f));
    }
    Operator op(matmul ? "matmul" : "fc", 2, matmul ? "def" : int8_out ? "int8out" : "fp32out");
    op.attribute(matmul ? "X0_scale" : "Input0_scale", std::vector<float>{si});
    op.attribute(matmul ? "Y0_scale" : "W0_scale", ws);
    op.attribute("Out0_scale", std::vector<float>{so});
    op.attribute("in_num_col_dims", static_cast<int32_t>(c.rows));
    if (bias) op.constant("Bias", b);
    op.input(matmul ? "X" : "Input", in);
    op.constant(matmul ? "Y" : "W", w);
    op.output("Out", int8_out ? DataType::i8 : DataType::f32, c.out);
    for (const Tensor& actual : op.all_levels()) {
      if (int8_out) {
        check_equal(actual.dense<int8_t>(), rounded);
      } else {
        check_equal(actual.dense<float>(), real);
      }
    }
  }
}

TEST_CASE("mul flattens both operands") {
  Random random(63);
  const Dense<float> x = random.reals({2, 3, 4, 5}), y = random.reals({4, 5, 7});
  Operator op("mul");
  op.attribute("x_num_col_dims", 2);
  op.attribute("y_num_col_dims", 2);
  op.input("X", x);
  op.constant("Y", y);
  op.output("Out", DataType::f32, {2, 3, 7});
  check_levels(op, as_dense({2, 3, 7}, product(doubles(x.data), doubles(y.data), 6, 20, 7)));
}

TEST_CASE("matmul and matmul_v2: transposes, batches, constant and computed operands") {
  Random random(64);
  for (int i = 0; i < 200; i++) {
    const bool old = random.chance(40), transpose_x = random.chance(30), transpose_y = random.chance(40);
    const bool constant = random.chance(40);
    const int64_t m = random.integer(1, 20), k = random.integer(1, 40), n = random.integer(1, 40);
    // Leading dimensions of the output, and of each operand: none, or the same with some of them 1.
    std::vector<int64_t> batch;
    for (int64_t d = random.integer(0, 2); d > 0; d--) batch.push_back(random.integer(1, 3));
    const bool y_batched = !batch.empty() && random.chance(60);
    std::vector<int64_t> x_dims = batch, y_dims = y_batched ? batch : std::vector<int64_t>{};
    for (int64_t& d : y_dims)
      if (random.chance(30)) d = 1;
    for (int64_t v : {transpose_x ? k : m, transpose_x ? m : k}) x_dims.push_back(v);
    for (int64_t v : {transpose_y ? n : k, transpose_y ? k : n}) y_dims.push_back(v);
    std::vector<int64_t> out_dims = batch;
    out_dims.push_back(m);
    out_dims.push_back(n);
    const Shape out(out_dims);
    const float alpha = old && random.chance(30) ? 0.125f : 1.0f, reach = 1.0f / std::sqrt(static_cast<float>(k));
    const Dense<float> x = random.reals(Shape(x_dims)), y = random.reals(Shape(y_dims), -reach, reach);
    CAPTURE(x.shape.str());
    CAPTURE(y.shape.str());
    CAPTURE(transpose_x);
    CAPTURE(transpose_y);
    Dense<float> expected(out);
    const int64_t batches = out.count() / (m * n);
    for (int64_t b = 0; b < batches; b++) {
      int64_t y_batch = 0, rest = b, step = 1;
      for (int d = static_cast<int>(batch.size()) - 1; d >= 0; d--) {
        const auto at = static_cast<size_t>(d);
        if (y_batched) {
          if (y_dims[at] != 1) y_batch += rest % batch[at] * step;
          step *= y_dims[at];
        }
        rest /= batch[at];
      }
      for (int64_t r = 0; r < m; r++)
        for (int64_t c = 0; c < n; c++) {
          double sum = 0;
          for (int64_t l = 0; l < k; l++) {
            const int64_t xi = b * m * k + (transpose_x ? l * m + r : r * k + l),
                          yi = y_batch * k * n + (transpose_y ? c * k + l : l * n + c);
            sum += static_cast<double>(x.data[static_cast<size_t>(xi)]) * y.data[static_cast<size_t>(yi)];
          }
          expected.data[static_cast<size_t>((b * m + r) * n + c)] = static_cast<float>(sum * alpha);
        }
    }
    Operator op(old ? "matmul" : "matmul_v2");
    op.attribute(old ? "transpose_X" : "trans_x", transpose_x);
    op.attribute(old ? "transpose_Y" : "trans_y", transpose_y);
    if (old) op.attribute("alpha", alpha);
    op.input("X", x);
    if (constant) {
      op.constant("Y", y);
    } else {
      op.input("Y", y);
    }
    op.output("Out", DataType::f32, out);
    check_levels(op, expected);
  }
}

TEST_CASE("rnn runs LSTM layers in one or both directions") {
  Random random(65);
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  for (int i = 0; i < 60; i++) {
    const int64_t steps = random.integer(1, 12), batch = random.integer(1, 3), input = random.integer(1, 20),
                  hidden = random.pick({1, 3, 4, 8, 10, 48});
    const int64_t layers = random.integer(1, 3), directions = random.integer(1, 2), cells = layers * directions;
    CAPTURE(steps);
    CAPTURE(batch);
    CAPTURE(input);
    CAPTURE(hidden);
    CAPTURE(layers);
    CAPTURE(directions);
    const Dense<float> in = random.reals({steps, batch, input}), h0 = random.reals({cells, batch, hidden}),
                       c0 = random.reals({cells, batch, hidden});
    std::vector<Dense<float>> weights, biases;
    for (int64_t cell = 0; cell < cells; cell++) {
      const int64_t width = cell < directions ? input : hidden * directions;
      weights.push_back(random.reals({4 * hidden, width}, -0.5f, 0.5f));
      weights.push_back(random.reals({4 * hidden, hidden}, -0.5f, 0.5f));
      biases.push_back(random.reals({4 * hidden}, -0.5f, 0.5f));
      biases.push_back(random.reals({4 * hidden}, -0.5f, 0.5f));
    }
    std::vector<double> x = doubles(in.data);
    int64_t width = input;
    for (int64_t layer = 0; layer < layers; layer++) {
      std::vector<double> y(static_cast<size_t>(steps * batch * directions * hidden));
      for (int64_t d = 0; d < directions; d++)
        for (int64_t b = 0; b < batch; b++) {
          const int64_t cell = layer * directions + d;
          const auto &w_ih = weights[static_cast<size_t>(2 * cell)].data, &w_hh = weights[static_cast<size_t>(2 * cell + 1)].data;
          const auto &b_ih = biases[static_cast<size_t>(2 * cell)].data, &b_hh = biases[static_cast<size_t>(2 * cell + 1)].data;
          std::vector<double> h, c;
          for (int64_t u = 0; u < hidden; u++) {
            h.push_back(h0.data[static_cast<size_t>((cell * batch + b) * hidden + u)]);
            c.push_back(c0.data[static_cast<size_t>((cell * batch + b) * hidden + u)]);
          }
          for (int64_t s = 0; s < steps; s++) {
            const int64_t row = (d == 0 ? s : steps - 1 - s) * batch + b;
            std::vector<double> gates(static_cast<size_t>(4 * hidden));
            for (int64_t g = 0; g < 4 * hidden; g++) {
              double sum = static_cast<double>(b_ih[static_cast<size_t>(g)]) + b_hh[static_cast<size_t>(g)];
              for (int64_t k = 0; k < width; k++) sum += w_ih[static_cast<size_t>(g * width + k)] * x[static_cast<size_t>(row * width + k)];
              for (int64_t k = 0; k < hidden; k++) sum += w_hh[static_cast<size_t>(g * hidden + k)] * h[static_cast<size_t>(k)];
              gates[static_cast<size_t>(g)] = sum;
            }
            for (int64_t u = 0; u < hidden; u++) {
              const auto gate = [&](int64_t which) { return gates[static_cast<size_t>(which * hidden + u)]; };
              const auto at = static_cast<size_t>(u);
              c[at] = sigmoid(gate(1)) * c[at] + sigmoid(gate(0)) * std::tanh(gate(2));
              h[at] = sigmoid(gate(3)) * std::tanh(c[at]);
              y[static_cast<size_t>((row * directions + d) * hidden + u)] = h[at];
            }
          }
        }
      x = std::move(y);
      width = directions * hidden;
    }
    Operator op("rnn");
    op.attribute("mode", std::string("LSTM"));
    op.attribute("num_layers", static_cast<int32_t>(layers));
    op.attribute("is_bidirec", directions == 2);
    op.attribute("hidden_size", static_cast<int32_t>(hidden));
    op.attribute("input_size", static_cast<int32_t>(input));
    op.input("Input", in);
    if (random.chance(50)) {
      op.constant("PreState", h0);
      op.constant("PreState", c0);
    } else {
      op.input("PreState", h0);
      op.input("PreState", c0);
    }
    for (const auto& w : weights) op.constant("WeightList", w);
    for (const auto& b : biases) op.constant("WeightList", b);
    // Unread outputs come without a value.
    op.output("DropoutState", DataType::f32, {1});
    op.node.outputs.back().value = graph::kNoValue;
    op.output("Out", DataType::f32, {steps, batch, directions * hidden});
    const Dense<float> expected = as_dense({steps, batch, directions * hidden}, x);
    for (const Tensor& level : op.all_levels(1)) check_close(level.dense<float>(), expected);
  }
}

}  // namespace edgeocr::kernel_test
