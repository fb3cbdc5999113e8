// Operators of the NEON set that are no products, against the plain set: fp32 to the bit, fp16 within a bound.
#include "float_kernels.h"

#if defined(__aarch64__)

#include <limits>

namespace edgeocr::kernel_test {

namespace {

std::shared_ptr<const graph::FusedTail> to_int8(Random& random) {
  graph::FusedTail tail;
  tail.outputs.push_back({DataType::i8, random.real(0.003f, 0.02f)});
  return std::make_shared<const graph::FusedTail>(tail);
}

void check_named(const Operator& op, std::string_view name, const std::string& text) {
  CAPTURE(text);
  CHECK(fast_kernel(op)->name() == name);
  check_fast(op);
}

Shape any_map(Random& random) { return {random.integer(1, 3), random.integer(1, 60), random.integer(1, 9), random.integer(1, 20)}; }

// A shape that broadcasts to the map's.
Shape operand_of(Random& random, const Shape& shape) {
  const Shape per_channel{shape[0], shape[1], 1, 1};
  const Shape others[] = {shape, per_channel, per_channel, {shape[0], 1, shape[2], shape[3]}, {1, shape[1], 1, 1}};
  return others[random.integer(0, 4)];
}

// pool2d of random numbers, without an output.
struct Pooling {
  Operator op{"pool2d"};
  bool max;
  Shape out;
  std::string text;
};

Pooling any_pooling(Random& random) {
  Pooling p;
  p.max = random.chance(40);
  const int64_t h = random.integer(1, 9), w = random.integer(1, 30), kernel_h = random.integer(1, 3), kernel_w = random.integer(1, 3);
  Shape in{random.integer(1, 2), random.integer(1, 90), h, w};
  p.out = in;
  p.op.attribute("pooling_type", std::string(p.max ? "max" : "avg"));
  p.op.attribute("exclusive", random.chance(50));
  p.op.ints("ksize", {static_cast<int32_t>(kernel_h), static_cast<int32_t>(kernel_w)});
  p.op.ints("strides", {1, 1});
  p.op.ints("paddings", {0, 0});
  const int form = static_cast<int>(random.integer(0, 3));
  if (form == 0) {
    p.op.attribute("global_pooling", true);
    p.out[2] = p.out[3] = 1;
  } else if (form == 1) {
    p.op.attribute("adaptive", true);
    p.out[2] = random.integer(1, h), p.out[3] = random.integer(1, w);
    p.op.ints("ksize", {static_cast<int32_t>(p.out[2]), static_cast<int32_t>(p.out[3])});
  } else {
    const int64_t stride_h = random.integer(1, 2), stride_w = random.integer(1, 2);
    const int64_t pad = kernel_h > 1 && kernel_w > 1 ? random.integer(0, 1) : 0;
    p.op.ints("strides", {static_cast<int32_t>(stride_h), static_cast<int32_t>(stride_w)});
    p.op.ints("paddings", {static_cast<int32_t>(pad), static_cast<int32_t>(pad)});
    in[2] = h + kernel_h, in[3] = w + kernel_w;
    p.out[2] = (in[2] + 2 * pad - kernel_h) / stride_h + 1, p.out[3] = (in[3] + 2 * pad - kernel_w) / stride_w + 1;
  }
  p.op.input("X", random.reals(in));
  p.text = in.str() + " to " + p.out.str() + (p.max ? " max" : " avg") + " form " + std::to_string(form);
  return p;
}

// Scores of which some are equal to the largest, or so near that their probabilities are equal.
Dense<float> near_ties(Random& random, const Shape& shape) {
  const float reach = random.pick({0.25f, 1.0f, 20.0f, 200.0f});
  Dense<float> d = random.reals(shape, -reach, reach);
  const int64_t n = shape[2];
  for (int64_t row = 0; row < shape[0] * shape[1]; row++) {
    float* values = d.data.data() + row * n;
    if (random.chance(40)) values[0] = reach;  // blank
    if (random.chance(30)) values[std::min<int64_t>(n - 1, 3)] = reach * 1.5f;
    const float largest = *std::max_element(values, values + n);
    for (int64_t ties = random.integer(0, 3); ties > 0; ties--) {
      float& v = values[random.integer(0, n - 1)];
      v = largest;
      for (int64_t down = random.integer(0, 9); down > 0; down--) v = std::nextafter(v, -reach);
    }
  }
  return d;
}

}  // namespace

TEST_CASE("neon elementwise gives the bits of the plain set") {
  Random random(50);
  for (int i = 0; i < 200; i++) {
    Operator op(random.pick({"elementwise_add", "elementwise_mul"}));
    const Shape shape = any_map(random), other = operand_of(random, shape);
    Dense<float> x = random.reals(shape), y = random.reals(other, -2, 2);
    const bool int8 = random.chance(60), bounded = int8 && random.chance(50);
    for (float& v : x.data)
      if (!bounded && random.chance(2)) v = int8 ? random.pick({INFINITY, -INFINITY, NAN}) : 1e30f;
    op.input("X", x);
    op.input("Y", y);
    std::string text = op.node.op + " " + shape.str() + " and " + other.str();
    if (bounded)
      for (const char* input : {"X", "Y"}) add_producer(op, op.node.input(input));
    if (int8) {
      op.output("Out", DataType::i8, shape);
      op.node.tail = to_int8(random);
      text += bounded ? " to int8, bounded" : " to int8";
    } else {
      op.output("Out", DataType::f32, shape);
    }
    check_named(op, "neon.elementwise", text);
  }
}

// Storing x, y and the result.
TEST_CASE("neon elementwise fp16 is close to the plain set") {
  Random random(54);
  for (int i = 0; i < 200; i++) {
    Operator op(random.pick({"elementwise_add", "elementwise_mul"}));
    const Shape shape = any_map(random), other = operand_of(random, shape);
    op.input("X", random.reals(shape, -4, 4));
    op.input("Y", random.reals(other, -2, 2));
    const std::string text = op.node.op + " " + shape.str() + " and " + other.str();
    CAPTURE(text);
    check_fp16(op, shape, random, "neon.elementwise.fp16", 1.5e-3);
  }
}

TEST_CASE("neon pool2d gives the bits of the plain set") {
  Random random(53);
  for (int i = 0; i < 200; i++) {
    Pooling pooling = any_pooling(random);
    if (random.chance(60)) {
      pooling.op.output("Out", DataType::i8, pooling.out);
      pooling.op.node.tail = to_int8(random);
      pooling.text += " to int8";
    } else {
      pooling.op.output("Out", DataType::f32, pooling.out);
    }
    check_named(pooling.op, pooling.max ? "neon.pool2d.max" : "neon.pool2d.avg", pooling.text);
  }
}

// Storing the map and the result, and fifteen additions in fp16.
TEST_CASE("neon pool2d fp16 is close to the plain set") {
  Random random(55);
  for (int i = 0; i < 200; i++) {
    const Pooling pooling = any_pooling(random);
    CAPTURE(pooling.text);
    check_fp16(pooling.op, pooling.out, random, pooling.max ? "neon.pool2d.fp16.max" : "neon.pool2d.fp16.avg", 2e-3);
  }
}

TEST_CASE("neon softmax gives the bits of the plain set") {
  Random random(51);
  for (int i = 0; i < 200; i++) {
    const int64_t n = random.chance(20) ? random.integer(100, 700) : random.integer(1, 40);
    const Shape shapes[] = {{random.integer(1, 20), n}, {2, random.integer(1, 9), n}, {1, 5, 3, n}};
    const Shape shape = shapes[random.integer(0, 2)];
    const float reach = random.pick({1.0f, 10.0f, 300.0f});
    Dense<float> x = random.reals(shape, -reach, reach);
    if (random.chance(20)) x.data[static_cast<size_t>(random.integer(0, shape.count() - 1))] = -1e30f;
    const int32_t axis = random.chance(70) ? -1 : 0;
    Operator op("softmax");
    op.input("X", x);
    op.attribute("axis", axis);
    op.output("Out", DataType::f32, shape);
    check_named(op, "neon.softmax", shape.str() + " axis " + std::to_string(axis));
  }
}

TEST_CASE("neon greedy_ctc gives the bits of the plain set") {
  Random random(52);
  for (int i = 0; i < 200; i++) {
    const int64_t n = random.chance(20) ? random.integer(100, 700) : random.integer(1, 40);
    const Shape shape{random.integer(1, 3), random.integer(1, 30), n};
    Operator op("greedy_ctc");
    op.input("X", near_ties(random, shape));
    op.attribute("softmax", true);
    op.output("Out", DataType::i32, {shape[0], shape[1]});
    op.output("Out", DataType::f32, {shape[0], shape[1]});
    CAPTURE(shape.str());
    const auto plain = op.kernel(), fast = fast_kernel(op);
    const std::vector<Tensor> expected = op.run(*plain, 1);
    for (int threads : {1, 3}) {
      const std::vector<Tensor> actual = op.run(*fast, threads);
      check_equal(actual[0].dense<int32_t>(), expected[0].dense<int32_t>());
      check_equal(actual[1].dense<float>(), expected[1].dense<float>());
    }
  }
}

TEST_CASE("neon greedy_ctc of scores that are not finite") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
  Dense<float> x(Shape{1, 4, 20});
  for (size_t i = 0; i < x.data.size(); i++) x.data[i] = static_cast<float>(i % 20);
  x.data[7] = nan;
  x.data[20 + 9] = infinite;
  x.data[40 + 3] = -infinite;
  std::fill_n(x.data.begin() + 60, 20, -infinite);
  Operator op("greedy_ctc");
  op.input("X", x);
  op.attribute("softmax", true);
  op.output("Out", DataType::i32, {1, 4});
  op.output("Out", DataType::f32, {1, 4});
  const std::vector<Tensor> expected = op.run(*op.kernel(), 1), actual = op.run(*fast_kernel(op), 1);
  check_equal(actual[0].dense<int32_t>(), expected[0].dense<int32_t>());
  check_equal(actual[1].dense<float>(), expected[1].dense<float>());
}

}  // namespace edgeocr::kernel_test

#endif
