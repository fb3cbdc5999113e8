// Floating point convolutions of the fast kernel sets against the plain one: in nets with int8 to the bit, in fp32 and fp16 within a bound.
#include <iterator>

#include "float_kernels.h"
#include "program.h"

#if defined(__aarch64__) || defined(__x86_64__)

namespace edgeocr::kernel_test {

namespace {

struct Case {
  int64_t batch, groups, in_channels, out_channels, in_h, in_w, kernel_h, kernel_w;
  std::array<int32_t, 2> strides;
  std::array<int32_t, 4> pads;  // top, bottom, left, right

  Shape out() const {
    const int64_t height = in_h + pads[0] + pads[1] - kernel_h, width = in_w + pads[2] + pads[3] - kernel_w;
    return {batch, out_channels, height / strides[0] + 1, width / strides[1] + 1};
  }
  std::string str() const {
    const Shape in{batch, in_channels, in_h, in_w}, window{kernel_h, kernel_w, strides[0], strides[1]};
    return in.str() + " to " + out().str() + " by " + window.str();
  }
};

void check(const Case& c, const std::string& op_name, Random& random, Net net, double tolerance = kFp32Tolerance) {
  Operator op(op_name);
  op.input("Input", random.reals({c.batch, c.in_channels, c.in_h, c.in_w}));
  // Bounds are those of sums of about one, whatever the number of their terms.
  const Shape filter{c.out_channels, c.in_channels / c.groups, c.kernel_h, c.kernel_w};
  const float reach = net == Net::int8 ? 1.0f : 2 / std::sqrt(static_cast<float>(filter.count() / c.out_channels));
  op.constant("Filter", random.reals(filter, -reach, reach));
  if (random.chance(80)) op.constant("Bias", random.reals({c.out_channels}));
  op.ints("strides", {c.strides[0], c.strides[1]});
  op.ints("dilations", {1, 1});
  op.ints("paddings", std::vector<int32_t>(c.pads.begin(), c.pads.end()));
  op.attribute("groups", static_cast<int32_t>(c.groups));
  std::string text = c.str();
  if (random.chance(50)) {
    const char* act = random.pick({"relu", "hard_swish", "relu6", "leaky_relu"});
    op.attribute("with_act", true);
    op.attribute("act_type", std::string(act));
    op.attribute("leaky_relu_alpha", 0.1f);
    text += std::string(" ") + act;
  }
  const Shape out = c.out();
  const bool even = out[2] % 2 == 0 && out[3] % 2 == 0;
  text += add_tail(op, random, "Output", out, even && random.chance(50) ? 2 : 1, net);
  const bool pointwise = c.kernel_h * c.kernel_w == 1 && c.strides == std::array<int32_t, 2>{1, 1} && c.pads == std::array<int32_t, 4>{};
  if ((kHasPlainBehind ? op_name == "conv2d" : pointwise && net != Net::int8) && random.chance(30)) {
    op.input("Gate", random.reals({c.batch, c.in_channels, 1, 1}, 0, 1));
    text += " gated";
  }
  if (net == Net::fp16 && random.chance(50)) {
    op.attribute(std::string(graph::kLongSums), true);
    text += " long sums";
  }
  CAPTURE(text);
  check_fast(op, net, tolerance);
}

int32_t pad(Random& random, int64_t kernel) { return static_cast<int32_t>(random.chance(60) ? kernel / 2 : random.integer(0, 2)); }

constexpr int64_t kChannels[] = {2, 3, 4, 5, 8, 12, 16, 24, 30, 32, 40, 72};
constexpr int64_t kWideChannels[] = {5, 8, 12, 16, 24, 30, 32, 40, 72};  // pixels of whole fp16 vectors

}  // namespace

TEST_CASE("float conv2d 1x1 is the plain set's" * doctest::skip(lacks_float_kernels())) {
  Random random(20);
  for_each_case(kNets, [&](Net net) {
    const int64_t in = net == Net::fp16 ? random.pick(kWideChannels) : random.pick(kChannels);
    const int64_t out = random.chance(20) ? random.integer(1, 100) : random.pick(kChannels);
    const Case c{random.integer(1, 2), 1, in, out, random.integer(1, at_most(12, 6)), random.integer(1, 60), 1, 1, {1, 1}, {0, 0, 0, 0}};
    check(c, "conv2d", random, net);
  });
}

TEST_CASE("float conv2d with a window is the plain set's" * doctest::skip(lacks_float_kernels())) {
  Random random(21);
  for_each_case(kNets, [&](Net net) {
    const int64_t in = random.chance(30) ? 3 : random.pick(kChannels), kernel = random.pick({1, 2, 3, 3, 3, 5});
    Case c{random.integer(1, 2), 1, in, random.pick(kChannels), 0, 0, kernel, 0, {}, {}};
    c.kernel_w = random.chance(70) ? c.kernel_h : random.integer(1, 5);
    const std::array<int32_t, 2> strides[] = {{1, 1}, {1, 1}, {2, 2}, {2, 1}, {1, 2}, {3, 3}};
    c.strides = random.pick(strides);
    c.pads = {pad(random, c.kernel_h), pad(random, c.kernel_h), pad(random, c.kernel_w), pad(random, c.kernel_w)};
    c.in_h = random.integer(1, at_most(8, 4)) + c.kernel_h - 1;
    c.in_w = random.integer(1, 60) + c.kernel_w - 1;
    const bool steps = c.strides != std::array<int32_t, 2>{1, 1} || c.pads != std::array<int32_t, 4>{};
    const bool pointwise = c.kernel_h == 1 && c.kernel_w == 1 && !steps;
    check(c, "conv2d", random, pointwise && c.in_channels < 5 ? Net::fp32 : net, 5e-5);  // some by Winograd
  });
}

TEST_CASE("float convolutions leave maps of the file and windows far outside to others" * doctest::skip(lacks_float_kernels())) {
  Random random(28);
  const auto made = [&](const std::string& name, bool is_constant, int64_t in_channels, int32_t pad, bool half) {
    Operator op(name);
    const Dense<float> map = random.reals({1, in_channels, 6, 40});
    if (is_constant) op.constant("Input", map);
    else op.input("Input", map);
    const bool depthwise = name == "depthwise_conv2d";
    const int64_t side = depthwise ? 3 : 4;
    op.constant("Filter", random.reals({8, depthwise ? 1 : in_channels, side, side}));
    op.ints("strides", {1, 1});
    op.ints("dilations", {1, 1});
    op.ints("paddings", {1, 1, pad, pad});
    op.attribute("groups", static_cast<int32_t>(depthwise ? in_channels : 1));
    op.output("Output", DataType::f32, {1, 8, 8 - side + 1, 40 + 2 * pad - side + 1});
    if (half) op.node.precision = graph::kFp16Precision;
    return test::error_of([&] { fast_kernel(op); }).empty();
  };
  for (const char* name : {"conv2d", "depthwise_conv2d"}) {
    CAPTURE(name);
    CHECK(made(name, false, 8, 1, false));
    CHECK_FALSE(made(name, true, 8, 1, false));
  }
  // Of three channels, fp16 windows are read in whole steps of pixels: wider than the filter.
  const bool has_half = kNets[std::size(kNets) - 1] == Net::fp16;
  CHECK(made("conv2d", false, 3, 6, has_half));
  CHECK_FALSE(made("conv2d", false, 3, has_half ? 8 : 9, has_half));
}

// Winograd's sums are other sums: a tolerance of the largest values, and no int8.
TEST_CASE("float conv2d by Winograd is close to the plain set" * doctest::skip(lacks_float_kernels())) {
  Random random(26);
  for_each_case(kNetsWithoutInt8, [&](Net net) {
    const int64_t in = random.pick({16, 17, 24, 40, at_most(72, 24)}), out = random.pick({16, 20, 24, 32, at_most(40, 24)});
    const int64_t height = random.integer(1, at_most(13, 9)), width = random.integer(1, at_most(40, 30));
    Operator op("conv2d");
    const int64_t batch = random.chance(20) ? 2 : 1;
    op.input("Input", random.reals({batch, in, height, width}));
    const float reach = 0.1f * std::sqrt(40 / static_cast<float>(std::max<int64_t>(in, 40)));  // sums are no larger for more terms
    op.constant("Filter", random.reals({out, in, 3, 3}, -reach, reach));
    if (random.chance(80)) op.constant("Bias", random.reals({out}));
    op.ints("strides", {1, 1});
    op.ints("dilations", {1, 1});
    op.ints("paddings", {1, 1});
    op.attribute("groups", 1);
    if (random.chance(60)) {
      op.attribute("with_act", true);
      op.attribute("act_type", std::string(random.pick({"relu", "hard_swish", "leaky_relu"})));
      op.attribute("leaky_relu_alpha", 0.1f);
    }
    std::string text = Shape{batch, in, height, width}.str() + " to " + std::to_string(out);
    if (random.chance(40)) {
      graph::FusedTail tail;
      tail.residual = static_cast<int>(op.node.inputs.size());
      op.input("Residual", random.reals({batch, out, height, width}));
      tail.outputs.resize(1);
      op.node.tail = std::make_shared<const graph::FusedTail>(tail);
      text += " residual";
    }
    op.output("Output", DataType::f32, {batch, out, height, width});
    CAPTURE(text);
    for (const Net each : kNetsWithoutInt8) {
      const char* name = each == Net::fp16 ? "conv2d.fp16.winograd" : "conv2d.fp32.winograd";
      CHECK(fast_kernel(in_net(op, each))->name() == fast_name(name));
    }
    check_fast(op, net, 2e-5);
  });
}

TEST_CASE("float depthwise_conv2d is the plain set's" * doctest::skip(lacks_float_kernels())) {
  Random random(22);
  for_each_case(kNets, [&](Net net) {
    Case c{};
    c.batch = random.integer(1, 2);
    c.in_channels = c.out_channels = c.groups = random.pick({5, 8, 12, 16, 24, 40, 72});
    c.kernel_h = c.kernel_w = random.pick({3, 5});
    const std::array<int32_t, 2> strides[] = {{1, 1}, {1, 1}, {2, 2}, {2, 1}, {3, 2}};
    c.strides = random.pick(strides);
    c.pads = {pad(random, c.kernel_h), pad(random, c.kernel_h), pad(random, c.kernel_w), pad(random, c.kernel_w)};
    c.in_h = random.integer(1, 8) + (random.chance(50) ? c.kernel_h - 1 : 0);  // of few rows some windows leave most out
    c.in_w = random.integer(1, 60) + c.kernel_w - 1;
    if (c.in_h + c.pads[0] + c.pads[1] < c.kernel_h) c.pads[0] = c.pads[1] = static_cast<int32_t>(c.kernel_h - c.in_h);
    check(c, "depthwise_conv2d", random, net);
  });
}

TEST_CASE("float conv2d_transpose 2x2 is the plain set's" * doctest::skip(lacks_float_kernels())) {
  Random random(23);
  for_each_case(kNets, [&](Net net) {
    const int64_t batch = random.integer(1, 2), in = net == Net::fp16 ? random.pick(kWideChannels) : random.pick(kChannels);
    const int64_t out = random.chance(50) ? 1 : random.pick({5, 8, 12, 16, 24, 30, 40});
    const int64_t height = random.integer(1, at_most(8, 5)), width = random.integer(1, at_most(40, 25));
    Operator op("conv2d_transpose");
    op.input("Input", random.reals({batch, in, height, width}));
    op.constant("Filter", random.reals({in, out, 2, 2}));
    if (random.chance(80)) op.constant("Bias", random.reals({out}));
    op.ints("strides", {2, 2});
    op.ints("dilations", {1, 1});
    op.ints("paddings", {0, 0});
    op.attribute("groups", 1);
    std::string text = Shape{batch, in, height, width}.str() + " to " + std::to_string(out);
    if (random.chance(50)) {
      const char* act = random.pick({"relu", "leaky_relu"});
      op.attribute("with_act", true);
      op.attribute("act_type", std::string(act));
      op.attribute("leaky_relu_alpha", 0.1f);
      text += std::string(" ") + act;
    }
    text += add_tail(op, random, "Output", {batch, out, 2 * height, 2 * width}, random.integer(1, 2) == 1 ? 1 : 2,
                     net == Net::int8 || kPlainInFp32);
    CAPTURE(text);
    check_fast(op, net, kPlainInFp32 ? 0 : kFp32Tolerance);
  });
}

// Another order of the sums, so a tolerance, and no int8.
TEST_CASE("float conv2d_over_upsampled is close to the plain set" * doctest::skip(lacks_float_kernels())) {
  Random random(24);
  for_each_case(kNetsWithoutInt8, [&](Net net) {
    const int64_t batch = random.integer(1, 2), out = random.pick({2, 5, 8, 16, 24, 32}), unit = 8;
    const int64_t height = random.integer(1, at_most(4, 2)) * unit;
    const int64_t width = (random.chance(10) ? 5 : random.integer(1, at_most(5, 3))) * unit;
    Operator op("conv2d_over_upsampled");
    std::vector<int32_t> factors;
    const bool direct = random.chance(80);
    const auto count = random.integer(1, 4);
    for (int64_t source = 0; source < count; source++) {
      const int32_t factor = direct && source == count - 1 ? 1 : random.pick({2, 2, 4, 8});
      const int64_t channels = net == Net::fp16 ? random.pick(kWideChannels) : random.pick(kChannels);
      op.input("X", random.reals({batch, channels, height / factor, width / factor}));
      op.constant("Filter", random.reals({out, channels, 3, 3}, -0.2f, 0.2f));
      factors.push_back(factor);
    }
    if (random.chance(80)) op.constant("Bias", random.reals({out}));
    op.ints("factors", factors);
    std::string text = Shape{batch, out, height, width}.str();
    for (const int32_t factor : factors) text += " " + std::to_string(factor);
    if (random.chance(50)) {
      const char* act = random.pick({"relu", "hard_swish", "leaky_relu"});
      op.attribute("with_act", true);
      op.attribute("act_type", std::string(act));
      op.attribute("leaky_relu_alpha", 0.1f);
      text += std::string(" ") + act;
    }
    op.output("Output", DataType::f32, {batch, out, height, width});
    CAPTURE(text);
    check_fast(op, net, 5e-5);
  });
}

TEST_CASE("float conv2d_over_upsampled leaves nets with int8 to the plain set" * doctest::skip(lacks_float_kernels())) {
  Operator op("conv2d_over_upsampled");
  Random random(25);
  op.input("X", random.reals({1, 8, 4, 4}));
  op.constant("Filter", random.reals({8, 8, 3, 3}));
  op.ints("factors", {2});
  op.output("Output", DataType::f32, {1, 8, 8, 8});
  CHECK_NOTHROW(fast_kernel(op));
  graph::Node calib;
  calib.op = "calib";
  op.graph.nodes.push_back(calib);
  CHECK_THROWS_WITH(fast_kernel(op), "test.nb: operator conv2d_over_upsampled #0 is not supported");
}

}  // namespace edgeocr::kernel_test

#endif
