// dynamic_fc: the plain kernel against the rule of dynamic_int8.h and against fp32, the fast kernel sets against the plain one.
#if defined(__aarch64__) || defined(__x86_64__)

#include <limits>

#include "int8_fc.h"
#include "kernels/dynamic_int8.h"

namespace edgeocr::kernel_test {

namespace {

// Values of every size from row to row, among them rows of zeros and of values too small to be divided by.
Dense<float> rows(Random& random, const FcShapes& form, int64_t k) {
  Dense<float> x = random.reals(form.in);
  const float sizes[] = {0, 1e-42f, 1e-37f, 1e-3f, 1, 1, 1, 40};
  for (size_t first = 0; first < x.data.size(); first += static_cast<size_t>(k)) {
    const float size = random.pick(sizes);
    for (int64_t i = 0; i < k; i++) x.data[first + static_cast<size_t>(i)] *= size;
  }
  return x;
}

struct DynamicFc {
  FcShapes form;
  int64_t k, n;
  Dense<float> x;
  Dense<int8_t> weights;
  Dense<float> bias;  // empty: none
  std::vector<float> scale;

  explicit DynamicFc(Random& random) : n(columns(random)) {
    form = fc_shapes(random, random.integer(1, 120), n);
    k = depth(form);
    x = rows(random, form, k);
    weights = random.int8s({k, n});
    if (random.chance(70)) bias = random.reals({n});
    for (int64_t i = 0; i < n; i++) scale.push_back(random.real(0.001f, 0.02f) / std::sqrt(static_cast<float>(k)));
  }

  Operator make() const {
    Operator op("dynamic_fc");
    op.input("Input", x);
    op.constant("W", weights);
    if (!bias.data.empty()) op.constant("Bias", bias);
    op.attribute("in_num_col_dims", static_cast<int32_t>(form.rows));
    op.attribute("W0_scale", scale);
    return op;
  }
  std::string text() const { return form.in.str() + " to " + form.out.str(); }

  // As the kernels' own definition has it, and in double precision with no row rounded.
  void compute(Dense<float>& rule, Dense<float>& exact, Dense<float>& bound) const {
    for (Dense<float>* d : {&rule, &exact, &bound}) *d = Dense<float>({x.shape.count() / k, n});
    std::vector<int8_t> q(static_cast<size_t>(k));
    for (int64_t row = 0; row < rule.shape[0]; row++) {
      const float* values = x.data.data() + row * k;
      const kernels::OwnScale own = kernels::own_scale(kernels::largest_magnitude(values, k));
      for (int64_t i = 0; i < k; i++) q[static_cast<size_t>(i)] = kernels::quantise(values[i], own.inverse);
      for (int64_t c = 0; c < n; c++) {
        const auto column = static_cast<size_t>(c), at = static_cast<size_t>(row * n + c);
        const float offset = bias.data.empty() ? 0 : bias.data[column];
        int32_t sum = 0;
        double product = offset, magnitude = 0;
        for (int64_t i = 0; i < k; i++) {
          const int8_t w = weights.data[static_cast<size_t>(i * n + c)];
          sum += q[static_cast<size_t>(i)] * w;
          product += static_cast<double>(values[i]) * w * scale[column];
          magnitude += std::fabs(static_cast<double>(w) * scale[column]);
        }
        rule.data[at] = kernels::requantise(sum, {scale[column] * own.scale, offset});
        exact.data[at] = static_cast<float>(product);
        bound.data[at] = static_cast<float>(0.501 * own.scale * magnitude + 1e-6 * std::max(1.0, std::fabs(product)));
      }
    }
  }
};

}  // namespace

TEST_CASE("dynamic_fc quantises every row by its largest value, and stays within that rounding") {
  Random random(70);
  for (int i = 0; i < 200; i++) {
    DynamicFc fc(random);
    if (fc.form.in.rank() == 4) continue;  // rows of maps are not as they lie in x
    CAPTURE(fc.text());
    Operator op = fc.make();
    op.output("Out", DataType::f32, fc.form.out);
    Dense<float> rule, exact, bound;
    fc.compute(rule, exact, bound);
    for (const Tensor& level : op.all_levels()) {
      const Dense<float> actual = level.dense<float>();
      for (size_t e = 0; e < actual.data.size(); e++) {
        REQUIRE(actual.data[e] == rule.data[e]);
        REQUIRE(std::fabs(actual.data[e] - exact.data[e]) <= bound.data[e]);
      }
    }
  }
}

TEST_CASE("int8: dynamic_fc gives the bits of the plain set" * doctest::skip(lacks_kernels())) {
  Random random(71);
  for (int i = 0; i < 250; i++) {
    const DynamicFc fc(random);
    Operator op = fc.make();
    std::string text = fc.text();
    if (random.chance(40)) {
      const char* act = random.pick({"relu", "relu6", "leaky_relu"});
      op.attribute("activation_type", std::string(act));
      op.attribute("alpha", act == std::string("relu6") ? 0.9f : 0.2f);
      text += std::string(" ") + act;
    }
    if (fc.form.out.rank() == 4) op.output("Out", DataType::f32, fc.form.out);
    else text += add_tail(op, random, "Out", fc.form.out);
    check_bits(op, "dynamic_fc.int8", text);
  }
}

TEST_CASE("int8: dynamic_fc of long rows and of rows that are no numbers" * doctest::skip(lacks_kernels())) {
  Random random(72);
  for (const int64_t k : {517, 2048}) {
    Dense<float> x = random.reals({9, k});
    x.data[3] = std::numeric_limits<float>::quiet_NaN();
    for (int64_t i = 0; i < k; i++) x.data[static_cast<size_t>(k + i)] = std::numeric_limits<float>::quiet_NaN();
    Operator op("dynamic_fc");
    op.input("Input", x);
    op.constant("W", random.int8s({k, 29}));
    op.attribute("op_type", std::string("matmul"));
    op.attribute("W0_scale", std::vector<float>(29, 1e-4f));
    op.output("Out", DataType::f32, {9, 29});
    check_bits(op, "dynamic_fc.int8", "depth " + std::to_string(k));
  }
}

}  // namespace edgeocr::kernel_test

#endif
