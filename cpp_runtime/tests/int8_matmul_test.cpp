// fc, mul, matmul and matmul_v2 of precision int8 by the fast kernel sets against the plain one: to the bit.
#if defined(__aarch64__) || defined(__x86_64__)

#include "int8_fc.h"

namespace edgeocr::kernel_test {

namespace {

Dense<int8_t> weights(Random& random, const Shape& shape) {
  Dense<int8_t> w = random.int8s(shape);
  const int64_t reach = random.pick({1, 12, 127, 127});
  for (int8_t& v : w.data) v = static_cast<int8_t>(v % (reach + 1));
  return w;
}

// Per column or one for all, so that results reach a few units whatever the depth.
std::vector<float> weight_scale(Random& random, int64_t n, int64_t k) {
  std::vector<float> scale(random.chance(80) ? static_cast<size_t>(n) : 1);
  for (float& v : scale) v = random.real(0.001f, 0.02f) / std::sqrt(static_cast<float>(k));
  return scale;
}

}  // namespace

TEST_CASE("int8: fc gives the bits of the plain set" * doctest::skip(lacks_kernels())) {
  Random random(40);
  for (int i = 0; i < 200; i++) {
    const bool mul = random.chance(30), int8_out = random.chance(30);
    const int64_t n = columns(random);
    const FcShapes form = fc_shapes(random, random.integer(1, 70), n);
    const int64_t k = depth(form);
    Operator op(mul ? "mul" : "fc", 2, int8_out ? "int8out" : "fp32out");
    op.input(mul ? "X" : "Input", random.int8s(form.in));
    op.constant(mul ? "Y" : "W", weights(random, {k, n}));
    if (!mul && random.chance(70)) op.constant("Bias", random.reals({n}));
    op.attribute(mul ? "x_num_col_dims" : "in_num_col_dims", static_cast<int32_t>(form.rows));
    op.attribute(mul ? "X0_scale" : "Input0_scale", std::vector<float>{random.real(0.01f, 0.05f)});
    op.attribute(mul ? "Y0_scale" : "W0_scale", weight_scale(random, n, k));
    op.attribute(random.chance(50) ? "Out0_scale" : "Output0_scale", std::vector<float>{random.real(0.01f, 0.05f)});
    std::string text = op.node.op + " " + op.node.alias + " " + form.in.str() + " to " + form.out.str();
    if (!mul && random.chance(40)) {
      const char* act = random.pick({"relu", "relu6", "leaky_relu"});
      op.attribute("activation_type", std::string(act));
      op.attribute("alpha", act == std::string("relu6") ? 0.9f : 0.2f);
      text += std::string(" ") + act;
    }
    if (int8_out || form.out.rank() == 4) op.output("Out", int8_out ? DataType::i8 : DataType::f32, form.out);
    else text += add_tail(op, random, "Out", form.out);
    check_bits(op, "fc.int8", text);
  }
}

TEST_CASE("int8: matmul gives the bits of the plain set" * doctest::skip(lacks_kernels())) {
  Random random(41);
  for (int i = 0; i < 200; i++) {
    const bool old = random.chance(50), transposed = random.chance(50);
    const int64_t m = random.integer(1, 90), k = random.integer(1, 140), n = columns(random);
    Operator op(old ? "matmul" : "matmul_v2", 2);
    op.input("X", random.int8s({1, m, k}));
    op.constant("Y", weights(random, transposed ? Shape{n, k} : Shape{k, n}));
    op.attribute(old ? "transpose_Y" : "trans_y", transposed);
    op.attribute("X0_scale", std::vector<float>{random.real(0.01f, 0.05f)});
    op.attribute("Y0_scale", weight_scale(random, n, k));
    const std::string text = op.node.op + " " + Shape{m, k, n}.str() + (transposed ? " transposed" : "");
    if (old && random.chance(20)) op.attribute("alpha", 0.37f);
    // A residual or a second output beside what may be a map is not taken.
    graph::FusedTail tail;
    const int kind = static_cast<int>(random.integer(0, 5));
    if (kind == 1 || kind == 2) {
      const auto owner = std::make_shared<std::vector<float>>(random.reals({n}).data);
      const auto bytes = std::as_bytes(std::span<const float>(*owner));
      tail.addend = std::make_shared<graph::Constant>(graph::Constant{DataType::f32, {n}, owner, bytes});
    }
    if (kind == 2 || kind == 3) {
      graph::Node activation;
      activation.op = random.pick({"relu", "hard_swish", "sigmoid"});
      tail.activation = std::make_shared<const graph::Node>(activation);
    }
    const bool int8 = kind != 0 && random.chance(50);
    tail.outputs.push_back({int8 ? DataType::i8 : DataType::f32, int8 ? random.real(0.003f, 0.05f) : 0.0f});
    op.output("Out", tail.outputs[0].dtype, {1, m, n});
    if (kind != 0) op.node.tail = std::make_shared<const graph::FusedTail>(tail);
    check_bits(op, "fc.int8", text + " tail " + std::to_string(kind));
  }
}

}  // namespace edgeocr::kernel_test

#endif
