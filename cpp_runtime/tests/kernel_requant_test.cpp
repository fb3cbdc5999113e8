// The int8 arithmetic of requant.h against statements in double precision, tie by tie, and the loops over it against it.
#include <bit>

#include "kernel_harness.h"
#include "kernels/requant.h"

namespace edgeocr::kernel_test {

using namespace kernels;

TEST_CASE("round_to_int8 rounds half away from zero and clamps") {
  for (int whole = -140; whole <= 140; whole++)
    for (int sixteenth = 0; sixteenth < 16; sixteenth++) {
      const float v = static_cast<float>(whole) + static_cast<float>(sixteenth) / 16.0f;
      for (const float near : {v, std::nextafter(v, -1000.0f), std::nextafter(v, 1000.0f)}) {
        CAPTURE(near);
        CHECK(round_to_int8(near) == static_cast<int8_t>(std::clamp(std::round(static_cast<double>(near)), -127.0, 127.0)));
      }
    }
  CHECK(round_to_int8(0.49999997f) == 0);  // where v + 0.5f is 1
  CHECK(round_to_int8(3e38f) == 127);
  CHECK(round_to_int8(-INFINITY) == -127);
  CHECK(round_to_int8(NAN) == -127);
}

TEST_CASE("requantise rounds once") {
  Random random(21);
  for (int i = 0; i < 20000; i++) {
    const auto acc = static_cast<int32_t>(random.integer(-(1 << 24), 1 << 24));
    const ChannelScale s{random.real(1e-6f, 1e-2f), random.real(-100, 100)};
    // Exact in 80-bit or wider arithmetic, then one rounding.
    const long double exact = static_cast<long double>(acc) * s.scale + s.bias;
    CHECK(requantise(acc, s) == static_cast<float>(exact));
  }
}

TEST_CASE("scales fold in the order of the kernel that Paddle-Lite would take") {
  // Chosen so that each order gives other bits.
  const float fs = 0.3572343f, si = 0.0062363f, so = 0.2369827f, bias = 0.3796487f, r = 1.0f / so;
  const ChannelScale gemm = fold_int8_out(RequantRule::gemm, fs, si, so, bias),
                     dw = fold_int8_out(RequantRule::depthwise, fs, si, so, bias);
  CHECK(gemm.scale == fs * (si / so));
  CHECK(gemm.bias == bias / so);
  CHECK(dw.scale == fs * (si * r));
  CHECK(dw.bias == bias * r);
  CHECK(gemm.scale != dw.scale);
  CHECK(gemm.bias != dw.bias);
  CHECK(fold_fp32_out(fs, si, bias).scale == fs * si);
}

TEST_CASE("the depthwise rule holds for 3x3 and 5x5 with equal strides and pads only") {
  const ConvGeometry base{8, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
  const auto rule = [&](const auto& change) {
    ConvGeometry g = base;
    change(g);
    return requant_rule(g);
  };
  CHECK(rule([](ConvGeometry&) {}) == RequantRule::depthwise);
  CHECK(rule([](ConvGeometry& g) { g.kernel_h = g.kernel_w = 5; }) == RequantRule::depthwise);
  CHECK(rule([](ConvGeometry& g) { g.stride_h = g.stride_w = 2; }) == RequantRule::depthwise);
  CHECK(rule([](ConvGeometry& g) { g.stride_h = 2; }) == RequantRule::gemm);
  CHECK(rule([](ConvGeometry& g) { g.kernel_h = g.kernel_w = 7; }) == RequantRule::gemm);
  CHECK(rule([](ConvGeometry& g) { g.dilation_w = 2; }) == RequantRule::gemm);
  CHECK(rule([](ConvGeometry& g) { g.pad_bottom = 0; }) == RequantRule::gemm);
  CHECK(rule([](ConvGeometry& g) { g.groups = 4; }) == RequantRule::gemm);
  CHECK(rule([](ConvGeometry& g) { g.out_channels = 16; }) == RequantRule::gemm);
}

TEST_CASE("every level requantises arrays as requant.h does one value") {
  Random random(22);
  for (int i = 0; i < 200; i++) {
    const int64_t n = random.integer(1, 67);
    const auto at = static_cast<size_t>(n);
    std::vector<int32_t> acc(at);
    std::vector<float> scale(at), bias(at);
    for (size_t c = 0; c < at; c++) {
      acc[c] = static_cast<int32_t>(random.integer(-200000, 200000));
      scale[c] = random.chance(30) ? 1.0f / 1024.0f : random.real(1e-5f, 3e-3f);  // exact ties too
      bias[c] = random.chance(30) ? 0.5f : random.real(-20, 20);
    }
    for (const ActKind kind : {ActKind::none, ActKind::relu, ActKind::relu6, ActKind::leaky_relu, ActKind::hard_swish}) {
      const Activation act{kind, 60.0f, 30.0f, 1.0f / 60.0f, 0.1f};
      for (const Loops* loops : generic::usable_loops()) {
        CAPTURE(loops->isa);
        CAPTURE(static_cast<int>(kind));
        std::vector<int8_t> q(at);
        std::vector<float> f(at);
        loops->requantise_i8(acc.data(), scale.data(), bias.data(), act, n, q.data());
        loops->requantise_f32(acc.data(), scale.data(), bias.data(), act, n, f.data());
        for (size_t c = 0; c < at; c++) {
          const float v = activate(requantise(acc[c], {scale[c], bias[c]}), kind, act);
          REQUIRE(std::bit_cast<uint32_t>(f[c]) == std::bit_cast<uint32_t>(v));
          REQUIRE(q[c] == round_to_int8(v));
        }
      }
    }
  }
}

TEST_CASE("an activation in units of the output scale is the activation of the real value") {
  const Activation act{ActKind::hard_swish, 6.0f, 3.0f, 1.0f / 6.0f, 0.1f};
  for (const ActKind kind : {ActKind::relu, ActKind::relu6, ActKind::leaky_relu, ActKind::hard_swish}) {
    const float so = 0.043f;
    const Activation scaled = in_units_of(act, so);
    for (float v = -8; v < 8; v += 0.37f)
      CHECK(activate(v / so, kind, scaled) * so == doctest::Approx(activate(v, kind, act)).epsilon(1e-5));
  }
}

TEST_CASE("calib quantises by the reciprocal, rounded first, and back by the scale") {
  Random random(23);
  for (int i = 0; i < 200; i++) {
    const bool map = random.chance(60);
    const Shape shape = map ? Shape{random.integer(1, 2), random.pick({1, 2, 3, 5, 8, 10, 17}), random.integer(1, 9), random.integer(1, 13)}
                            : Shape{random.integer(1, 5), random.integer(1, 9), random.integer(1, 40)};
    CAPTURE(shape.str());
    const float scale = random.chance(30) ? 0.0625f : random.real(0.005f, 0.1f);
    Dense<float> in = random.reals(shape, -5, 5);
    for (float& v : in.data)
      if (random.chance(20)) v = static_cast<float>(random.integer(-200, 200)) * 0.5f * scale;  // ties
    Operator down("calib", 2, "fp32_to_int8");
    down.attribute("scale", scale);
    down.input("Input", in);
    down.output("Out", DataType::i8, shape);
    Dense<int8_t> expected(shape);
    for (size_t at = 0; at < in.data.size(); at++) {
      const float v = in.data[at] * (1.0f / scale);
      expected.data[at] = static_cast<int8_t>(std::clamp(std::round(v), -127.0f, 127.0f));
    }
    check_equal(down.run().dense<int8_t>(), expected);
    for (const Tensor& level : down.other_levels()) check_equal(level.dense<int8_t>(), expected);

    Operator up("calib", 2, "int8_to_fp32");
    up.attribute("scale", scale);
    up.input("Input", expected);
    up.output("Out", DataType::f32, shape);
    Dense<float> real(shape);
    for (size_t at = 0; at < real.data.size(); at++) real.data[at] = static_cast<float>(expected.data[at]) * scale;
    check_equal(up.run().dense<float>(), real);
  }
}

}  // namespace edgeocr::kernel_test
