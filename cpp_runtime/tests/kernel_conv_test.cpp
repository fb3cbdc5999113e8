// conv2d, depthwise_conv2d, conv2d_transpose against loops over every output, input channel and tap.
#include <array>

#include "kernel_harness.h"
#include "kernels/requant.h"

namespace edgeocr::kernel_test {

namespace {

struct Case {
  int64_t batch, groups, group_in, group_out, in_h, in_w, kernel_h, kernel_w;
  std::array<int32_t, 2> strides, dilations;
  std::array<int32_t, 4> pads;  // top, bottom, left, right
  std::string act;
  bool bias;

  int64_t in_channels() const { return groups * group_in; }
  int64_t out_channels() const { return groups * group_out; }
  std::string str() const {
    auto text = [](auto... values) {
      std::string s;
      ((s += std::to_string(values) + " "), ...);
      return s;
    };
    return "n g ci/g co/g h w kh kw: " + text(batch, groups, group_in, group_out, in_h, in_w, kernel_h, kernel_w) + "strides " +
           text(strides[0], strides[1]) + "dilations " + text(dilations[0], dilations[1]) + "pads " +
           text(pads[0], pads[1], pads[2], pads[3]) + "act " + act + (bias ? " bias" : "");
  }
};

constexpr int64_t kChannels[] = {1, 2, 3, 4, 5, 8, 10, 16, 17, 24, 40};
constexpr const char* kActs[] = {"", "relu", "relu6", "leaky_relu", "hard_swish"};

Case random_case(Random& random, bool depthwise) {
  Case c{};
  c.batch = random.integer(1, 2);
  if (depthwise) {
    c.groups = random.pick(kChannels);
    c.group_in = c.group_out = 1;
  } else {
    c.groups = random.chance(20) ? random.integer(2, 3) : 1;
    c.group_in = random.pick(kChannels);
    c.group_out = random.pick(kChannels);
  }
  c.kernel_h = random.pick({1, 1, 2, 3, 3, 5});
  c.kernel_w = random.chance(75) ? c.kernel_h : random.integer(1, 5);
  const std::array<int32_t, 2> strides[] = {{1, 1}, {1, 1}, {2, 2}, {2, 1}, {1, 2}, {3, 3}};
  c.strides = random.pick(strides);
  c.dilations = random.chance(80)
                    ? std::array<int32_t, 2>{1, 1}
                    : std::array<int32_t, 2>{static_cast<int32_t>(random.integer(1, 3)), static_cast<int32_t>(random.integer(1, 3))};
  const auto pad = [&] { return static_cast<int32_t>(random.integer(0, 2)); };
  if (random.chance(50)) {
    const int32_t p = static_cast<int32_t>(c.kernel_h / 2);
    c.pads = {p, p, p, p};
  } else {
    c.pads = {pad(), pad(), pad(), pad()};
  }
  c.in_h = random.integer(1, 14) + c.dilations[0] * (c.kernel_h - 1);
  c.in_w = random.integer(1, 29) + c.dilations[1] * (c.kernel_w - 1);
  c.act = random.pick(kActs);
  c.bias = random.chance(80);
  return c;
}

int64_t out_size(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
  return (in + pad - dilation * (kernel - 1) - 1) / stride + 1;
}
Shape conv_out(const Case& c) {
  return {c.batch, c.out_channels(), out_size(c.in_h, c.kernel_h, c.strides[0], c.dilations[0], c.pads[0] + c.pads[1]),
          out_size(c.in_w, c.kernel_w, c.strides[1], c.dilations[1], c.pads[2] + c.pads[3])};
}
Shape transposed_out(const Case& c) {
  return {c.batch, c.out_channels(), (c.in_h - 1) * c.strides[0] + c.dilations[0] * (c.kernel_h - 1) + 1 - c.pads[0] - c.pads[1],
          (c.in_w - 1) * c.strides[1] + c.dilations[1] * (c.kernel_w - 1) + 1 - c.pads[2] - c.pads[3]};
}

void set_attributes(Operator& op, const Case& c) {
  op.ints("strides", {c.strides[0], c.strides[1]});
  op.ints("dilations", {c.dilations[0], c.dilations[1]});
  const bool two = c.pads[0] == c.pads[1] && c.pads[2] == c.pads[3];
  op.ints("paddings", two ? std::vector<int32_t>{c.pads[0], c.pads[2]} : std::vector<int32_t>(c.pads.begin(), c.pads.end()));
  op.attribute("groups", static_cast<int32_t>(c.groups));
  if (c.act.empty()) return;
  op.attribute("with_act", true);
  op.attribute("act_type", c.act);
  op.attribute("fuse_brelu_threshold", 6.0f);
  op.attribute("leaky_relu_alpha", 0.1f);
  op.attribute("hard_swish_threshold", 6.0f);
  op.attribute("hard_swish_scale", 6.0f);
  op.attribute("hard_swish_offset", 3.0f);
}

// Sum of the taps inside the map; `Sum` is double for fp32 and int32 for int8.
template <class Sum, class T>
Sum conv_sum(const Case& c, const Dense<T>& in, const Dense<T>& filter, int64_t n, int64_t o, int64_t y, int64_t x) {
  Sum sum = 0;
  const int64_t group = o / c.group_out;
  for (int64_t i = 0; i < c.group_in; i++)
    for (int64_t ky = 0; ky < c.kernel_h; ky++)
      for (int64_t kx = 0; kx < c.kernel_w; kx++) {
        const int64_t iy = y * c.strides[0] - c.pads[0] + ky * c.dilations[0], ix = x * c.strides[1] - c.pads[2] + kx * c.dilations[1];
        if (iy < 0 || ix < 0 || iy >= c.in_h || ix >= c.in_w) continue;
        sum += static_cast<Sum>(in.at(n, group * c.group_in + i, iy, ix)) * static_cast<Sum>(filter.at(o, i, ky, kx));
      }
  return sum;
}

double activated(const std::string& act, double v) {
  if (act == "relu") return std::max(v, 0.0);
  if (act == "relu6") return std::clamp(v, 0.0, 6.0);
  if (act == "leaky_relu") return v > 0 ? v : 0.1 * v;
  if (act == "hard_swish") return v * std::clamp(v + 3, 0.0, 6.0) / 6;
  return v;
}

std::vector<Dense<float>> run_fp32(const char* name, const Case& c, const Dense<float>& in, const Dense<float>& filter,
                                   const Dense<float>& bias, const Shape& out) {
  Operator op(name);
  set_attributes(op, c);
  if (c.bias) op.constant("Bias", bias);
  op.constant("Filter", filter);
  op.input("Input", in);
  op.output("Output", DataType::f32, out);
  std::vector<Dense<float>> results;
  for (const Tensor& level : op.all_levels()) results.push_back(level.dense<float>());
  return results;
}

void check_fp32_conv(Random& random, bool depthwise) {
  const Case c = random_case(random, depthwise);
  CAPTURE(c.str());
  const Shape out = conv_out(c);
  if (out[2] < 1 || out[3] < 1) return;
  const auto in = random.reals({c.batch, c.in_channels(), c.in_h, c.in_w}), bias = random.reals({c.out_channels()});
  const float reach = 1.0f / std::sqrt(static_cast<float>(c.group_in * c.kernel_h * c.kernel_w));  // outputs of about 1
  const auto filter = random.reals({c.out_channels(), c.group_in, c.kernel_h, c.kernel_w}, -reach, reach);
  Dense<float> expected(out);
  for (int64_t n = 0; n < out[0]; n++)
    for (int64_t o = 0; o < out[1]; o++)
      for (int64_t y = 0; y < out[2]; y++)
        for (int64_t x = 0; x < out[3]; x++) {
          const double sum = conv_sum<double>(c, in, filter, n, o, y, x) + (c.bias ? bias.data[static_cast<size_t>(o)] : 0.0f);
          expected.at(n, o, y, x) = static_cast<float>(activated(c.act, sum));
        }
  for (const auto& actual : run_fp32(depthwise ? "depthwise_conv2d" : "conv2d", c, in, filter, bias, out)) check_close(actual, expected);
}

float activated_f32(const std::string& act, float v, float unit) {
  // In units of the output scale: bounds and offset are divided by it.
  if (act == "relu") return v > 0 ? v : 0;
  if (act == "relu6") return std::min(std::max(v, 0.0f), 6.0f / unit);
  if (act == "leaky_relu") return v > 0 ? v : v * 0.1f;
  if (act == "hard_swish") return v * (std::min(std::max(v + 3.0f / unit, 0.0f), 6.0f / unit) * ((1.0f / 6.0f) * unit));
  return v;
}

struct Int8Case {
  Dense<int8_t> in, filter;
  std::vector<float> filter_scale;
  Dense<float> bias;
  float si, so;
};

// NB_FORMAT §5, written out for one channel.
float int8_value(const Case& c, const Int8Case& q, bool int8_out, size_t o, int32_t sum) {
  const float fs = q.filter_scale[o], bias = c.bias ? q.bias.data[o] : 0.0f, acc = static_cast<float>(sum);
  if (!int8_out) return activated_f32(c.act, std::fma(acc, fs * q.si, bias), 1.0f);
  const bool square = c.strides[0] == c.strides[1] && c.kernel_h == c.kernel_w && (c.kernel_h == 3 || c.kernel_h == 5);
  const bool pads = c.pads[0] == c.pads[1] && c.pads[1] == c.pads[2] && c.pads[2] == c.pads[3];
  const bool depthwise = c.group_in == 1 && c.group_out == 1 && square && pads && c.dilations[0] == 1 && c.dilations[1] == 1;
  const float r = 1.0f / q.so;
  const float v = depthwise ? std::fma(acc, fs * (q.si * r), bias * r) : std::fma(acc, fs * (q.si / q.so), bias / q.so);
  return activated_f32(c.act, v, q.so);
}

void check_int8_conv(Random& random, bool depthwise) {
  const Case c = random_case(random, depthwise);
  CAPTURE(c.str());
  const Shape out = conv_out(c);
  if (out[2] < 1 || out[3] < 1) return;
  Int8Case q{random.int8s({c.batch, c.in_channels(), c.in_h, c.in_w}),
             random.int8s({c.out_channels(), c.group_in, c.kernel_h, c.kernel_w}),
             {},
             random.reals({c.out_channels()}),
             random.real(0.001f, 0.1f),
             random.real(0.01f, 0.2f)};
  // Sums of some ten thousand should come out inside and outside of +-127.
  for (int64_t o = 0; o < c.out_channels(); o++) q.filter_scale.push_back(random.real(0.0005f, 0.01f));
  for (const bool int8_out : {false, true}) {
    CAPTURE(int8_out);
    Operator op(depthwise ? "depthwise_conv2d" : "conv2d", 2, int8_out ? "int8_out" : "fp32_out");
    set_attributes(op, c);
    op.attribute("Input0_scale", std::vector<float>{q.si});
    op.attribute("Filter0_scale", q.filter_scale);
    op.attribute("Output0_scale", std::vector<float>{q.so});
    if (c.bias) op.constant("Bias", q.bias);
    op.constant("Filter", q.filter);
    op.input("Input", q.in);
    op.output("Output", int8_out ? DataType::i8 : DataType::f32, out);
    Dense<float> real(out);
    Dense<int8_t> rounded(out);
    for (int64_t n = 0; n < out[0]; n++)
      for (int64_t o = 0; o < out[1]; o++)
        for (int64_t y = 0; y < out[2]; y++)
          for (int64_t x = 0; x < out[3]; x++) {
            const float v = int8_value(c, q, int8_out, static_cast<size_t>(o), conv_sum<int32_t>(c, q.in, q.filter, n, o, y, x));
            real.at(n, o, y, x) = v;
            rounded.at(n, o, y, x) = static_cast<int8_t>(std::clamp(std::round(v), -127.0f, 127.0f));
          }
    for (const Tensor& actual : op.all_levels()) {
      if (int8_out) {
        check_equal(actual.dense<int8_t>(), rounded);
      } else {
        check_equal(actual.dense<float>(), real);
      }
    }
  }
}

}  // namespace

TEST_CASE("conv2d in fp32 equals the naive convolution") {
  Random random(11);
  for (int i = 0; i < 200; i++) check_fp32_conv(random, false);
}

TEST_CASE("depthwise_conv2d in fp32 equals the naive convolution") {
  Random random(12);
  for (int i = 0; i < 200; i++) check_fp32_conv(random, true);
}

TEST_CASE("conv2d in int8 equals the statement of the arithmetic to the bit") {
  Random random(13);
  for (int i = 0; i < 200; i++) check_int8_conv(random, false);
}

TEST_CASE("depthwise_conv2d in int8 equals the statement of the arithmetic to the bit") {
  Random random(14);
  for (int i = 0; i < 200; i++) check_int8_conv(random, true);
}

TEST_CASE("conv2d_transpose equals scattering every input") {
  Random random(15);
  for (int i = 0; i < 200; i++) {
    Case c = random_case(random, random.chance(20));
    c.in_h = random.integer(1, 9);
    c.in_w = random.integer(1, 13);
    if (random.chance(40)) {  // what DB heads have
      c.kernel_h = c.kernel_w = 2;
      c.strides = {2, 2};
      c.pads = {0, 0, 0, 0};
      c.dilations = {1, 1};
    }
    CAPTURE(c.str());
    Shape out = transposed_out(c);
    if (out[2] < 1 || out[3] < 1) continue;
    if (random.chance(20)) out[2] += c.strides[0] - 1;  // output_padding
    const auto in = random.reals({c.batch, c.in_channels(), c.in_h, c.in_w}), bias = random.reals({c.out_channels()});
    const auto filter = random.reals({c.in_channels(), c.group_out, c.kernel_h, c.kernel_w});
    std::vector<double> sums(static_cast<size_t>(out.count()), 0.0);
    const auto at = [&](int64_t n, int64_t o, int64_t y, int64_t x) {
      return static_cast<size_t>(((n * out[1] + o) * out[2] + y) * out[3] + x);
    };
    for (int64_t n = 0; n < c.batch; n++)
      for (int64_t ci = 0; ci < c.in_channels(); ci++)
        for (int64_t iy = 0; iy < c.in_h; iy++)
          for (int64_t ix = 0; ix < c.in_w; ix++)
            for (int64_t o = 0; o < c.group_out; o++)
              for (int64_t ky = 0; ky < c.kernel_h; ky++)
                for (int64_t kx = 0; kx < c.kernel_w; kx++) {
                  const int64_t y = iy * c.strides[0] - c.pads[0] + ky * c.dilations[0],
                                x = ix * c.strides[1] - c.pads[2] + kx * c.dilations[1];
                  if (y < 0 || x < 0 || y >= out[2] || x >= out[3]) continue;
                  sums[at(n, ci / c.group_in * c.group_out + o, y, x)] +=
                      static_cast<double>(in.at(n, ci, iy, ix)) * filter.at(ci, o, ky, kx);
                }
    Dense<float> expected(out);
    for (int64_t n = 0; n < out[0]; n++)
      for (int64_t o = 0; o < out[1]; o++)
        for (int64_t y = 0; y < out[2]; y++)
          for (int64_t x = 0; x < out[3]; x++) {
            const double v = sums[at(n, o, y, x)] + (c.bias ? bias.data[static_cast<size_t>(o)] : 0.0f);
            expected.at(n, o, y, x) = static_cast<float>(activated(c.act, v));
          }
    for (const auto& actual : run_fp32("conv2d_transpose", c, in, filter, bias, out)) check_close(actual, expected);
  }
}

TEST_CASE("padding_algorithm SAME pads to ceil(size / stride), VALID not at all") {
  Random random(16);
  for (const int64_t size : {5, 6, 7, 8, 11}) {
    for (const int32_t stride : {1, 2, 3}) {
      CAPTURE(size);
      CAPTURE(stride);
      Case c{1, 1, 3, 5, size, size + 1, 3, 3, {stride, stride}, {1, 1}, {0, 0, 0, 0}, "", true};
      const auto in = random.reals({1, 3, c.in_h, c.in_w}), filter = random.reals({5, 3, 3, 3}), bias = random.reals({5});
      for (const char* algorithm : {"SAME", "VALID"}) {
        if (std::string(algorithm) == "SAME") {
          const auto total = [&](int64_t s) {
            return static_cast<int32_t>(std::max<int64_t>(((s + stride - 1) / stride - 1) * stride + 3 - s, 0));
          };
          const int32_t h = total(c.in_h), w = total(c.in_w);
          c.pads = {h / 2, h - h / 2, w / 2, w - w / 2};
        } else {
          c.pads = {0, 0, 0, 0};
        }
        const Shape out = conv_out(c);
        Dense<float> expected(out);
        for (int64_t o = 0; o < out[1]; o++)
          for (int64_t y = 0; y < out[2]; y++)
            for (int64_t x = 0; x < out[3]; x++)
              expected.at(0, o, y, x) = static_cast<float>(conv_sum<double>(c, in, filter, 0, o, y, x) + bias.data[static_cast<size_t>(o)]);
        Operator op("conv2d");
        op.ints("strides", {stride, stride});
        op.ints("paddings", {7, 7});  // means nothing with either
        op.attribute("padding_algorithm", std::string(algorithm));
        op.constant("Bias", bias);
        op.constant("Filter", filter);
        op.input("Input", in);
        op.output("Output", DataType::f32, out);
        check_close(op.run().dense<float>(), expected);
      }
    }
  }
}

TEST_CASE("a convolution says what is wrong with its node") {
  const auto message = [](const auto& change) {
    Operator op("conv2d");
    op.node.index = 12;
    op.constant("Filter", Dense<float>({4, 2, 3, 3}));
    op.input("Input", Dense<float>({1, 2, 8, 8}));
    op.output("Output", DataType::f32, {1, 4, 6, 6});
    change(op);
    try {
      op.kernel();
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(message([](Operator& op) { op.attribute("groups", 3); }) == "test.nb: conv2d #12: Filter is 4x2x3x3, which 3 groups do not fit");
  CHECK(message([](Operator& op) { op.node.precision = 2; }) == "test.nb: conv2d #12: Filter is fp32, expected int8");
  CHECK(message([](Operator& op) { op.constant("Bias", Dense<float>({3})); }) == "test.nb: conv2d #12: Bias has 3 values, expected 4");
  CHECK(message([](Operator& op) {
          op.attribute("with_act", true);
          op.attribute("act_type", std::string("prelu"));
        }) == "test.nb: conv2d #12: activation prelu is not supported");
  CHECK(message([](Operator& op) { op.ints("strides", {0, 1}); }).find("strides") != std::string::npos);
}

}  // namespace edgeocr::kernel_test
