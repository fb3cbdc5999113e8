// The int8 convolutions of the fast kernel sets against the generic ones, to the bit.
#if defined(__aarch64__) || defined(__x86_64__)
#include <algorithm>
#include <bit>
#include <cmath>

#include "graph/fused_tail.h"
#include "graph/precision.h"
#include "kernel_harness.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/requant.h"

namespace edgeocr::kernel_test {

namespace {

using graph::FusedTail;

// How a node ends.
enum class End { int8_out, fp32_out, calib, fp32_and_calib, two_calibs, all };
constexpr End kEnds[] = {End::int8_out, End::int8_out,       End::fp32_out,   End::calib,
                         End::calib,    End::fp32_and_calib, End::two_calibs, End::all};

struct Case {
  int64_t batch, in_channels, out_channels, in_h, in_w, kernel_h, kernel_w;
  std::array<int32_t, 2> strides;
  std::array<int32_t, 4> pads;
  bool depthwise, same;
  std::string act;     // "", "relu", "hard_swish"
  bool own_act;        // the node's own, else the tail's
  int residual_scale;  // 0: none
  End end;
  int weight_reach;
  bool awkward_residual = false;

  Shape out() const {
    if (same) return {batch, out_channels, (in_h + strides[0] - 1) / strides[0], (in_w + strides[1] - 1) / strides[1]};
    return {batch, out_channels, (in_h + pads[0] + pads[1] - kernel_h) / strides[0] + 1,
            (in_w + pads[2] + pads[3] - kernel_w) / strides[1] + 1};
  }
  std::string str() const {
    std::string s;
    for (int64_t v :
         {batch, in_channels, out_channels, in_h, in_w, kernel_h, kernel_w, int64_t{strides[0]}, int64_t{strides[1]}, int64_t{pads[0]},
          int64_t{pads[1]}, int64_t{pads[2]}, int64_t{pads[3]}, int64_t{residual_scale}, static_cast<int64_t>(end)})
      s += std::to_string(v) + " ";
    return "n ci co h w kh kw sh sw pads residual end: " + s + act + (own_act ? " own" : " tail") + (same ? " same" : "");
  }
};

std::shared_ptr<const graph::Node> activation_node(const std::string& op) {
  auto node = std::make_shared<graph::Node>();
  node->op = op;
  if (op == "hard_swish") {
    node->attrs["threshold"] = 6.0f;
    node->attrs["scale"] = 6.0f;
    node->attrs["offset"] = 3.0f;
  }
  return node;
}

// Real outputs of about +-5, so that hard_swish bends and int8 reaches its ends.
float output_scale(Random& random) { return random.chance(30) ? 1.0f / 32 : random.real(0.02f, 0.06f); }

// Ties, both ends, NaN and infinities among ordinary values.
Dense<float> awkward_reals(Random& random, const Shape& shape, float scale) {
  Dense<float> d = random.reals(shape, -140 * scale, 140 * scale);
  const float special[] = {0.5f * scale, -0.5f * scale, 126.5f * scale, -127.5f * scale, -0.0f, 1e30f, -1e30f, NAN, INFINITY, -INFINITY};
  for (float& v : d.data)
    if (random.chance(40)) v = random.chance(50) ? random.pick(special) : (static_cast<float>(random.integer(-130, 130)) + 0.5f) * scale;
  return d;
}

void add_outputs(Operator& op, const Case& c, const Shape& shape, Random& random) {
  if (c.end == End::int8_out || (c.end == End::fp32_out && c.residual_scale == 0 && (c.act.empty() || c.own_act))) {
    op.output("Output", c.end == End::int8_out ? DataType::i8 : DataType::f32, shape);
    return;
  }
  auto tail = std::make_shared<FusedTail>();
  if (!c.act.empty() && !c.own_act) tail->activation = activation_node(c.act);
  if (c.residual_scale > 0) {
    const Shape residual{shape[0], shape[1], shape[2] / c.residual_scale, shape[3] / c.residual_scale};
    op.input("Residual", c.awkward_residual ? awkward_reals(random, residual, 0.05f) : random.reals(residual, -3, 3));
    tail->residual = static_cast<int>(op.node.inputs.size()) - 1;
    tail->residual_scale = c.residual_scale;
    if (!c.awkward_residual && random.chance(70)) add_producer(op, op.node.inputs.back().value);
  }
  const auto calib = [&] { tail->outputs.push_back({DataType::i8, output_scale(random)}); };
  if (c.end == End::calib || c.end == End::two_calibs || c.end == End::all) calib();
  if (c.end == End::fp32_out || c.end == End::fp32_and_calib || c.end == End::all) tail->outputs.push_back({DataType::f32, 0});
  if (c.end == End::fp32_and_calib || c.end == End::two_calibs || c.end == End::all) calib();
  for (const FusedTail::Output& output : tail->outputs) op.output("Output", output.dtype, shape);
  op.node.tail = std::move(tail);
}

void set_attributes(Operator& op, const Case& c, float input_scale, std::vector<float> filter_scale, float out_scale) {
  op.ints("strides", {c.strides[0], c.strides[1]});
  op.ints("dilations", {1, 1});
  op.ints("paddings", {c.pads[0], c.pads[1], c.pads[2], c.pads[3]});
  if (c.same) op.attribute("padding_algorithm", std::string("SAME"));
  op.attribute("groups", static_cast<int32_t>(c.depthwise ? c.in_channels : 1));
  op.attribute("Input0_scale", std::vector<float>{input_scale});
  op.attribute("Output0_scale", std::vector<float>{out_scale});
  op.attribute("Filter0_scale", std::move(filter_scale));
  if (c.act.empty() || !c.own_act) return;
  op.attribute("with_act", true);
  op.attribute("act_type", c.act);
  op.attribute("hard_swish_threshold", 6.0f);
  op.attribute("hard_swish_scale", 6.0f);
  op.attribute("hard_swish_offset", 3.0f);
}

bool lacks_kernels() { return kernels::int8::usable_loops() == nullptr; }

// Every output, with one to four threads. name: of the kernel, without the set's.
void check_same_bits(const Operator& op, std::string_view name) {
  const std::vector<Tensor> expected = op.run(*op.kernel(), 1);
  const auto kernel = kernels::create_kernel(op.node, op.graph, kernels::kernel_sets());
  CHECK(kernel->name() == kernels::int8::kernel_name(name));
  for (int threads = 1; threads <= 4; threads++) {
    const std::vector<Tensor> actual = op.run(*kernel, threads);
    for (size_t i = 0; i < expected.size(); i++) {
      CAPTURE(i);
      CAPTURE(threads);
      if (expected[i].view().dtype == DataType::i8) check_equal(actual[i].dense<int8_t>(), expected[i].dense<int8_t>());
      else check_equal(actual[i].dense<float>(), expected[i].dense<float>());
    }
  }
}

// sum: what a sum that is one more makes of a value.
void check_close(const Operator& op, std::string_view name, float sum) {
  const std::vector<Tensor> expected = op.run(*op.kernel(), 1);
  const auto kernel = kernels::create_kernel(op.node, op.graph, kernels::kernel_sets());
  CHECK(kernel->name() == kernels::int8::kernel_name(name));
  const std::vector<Tensor> actual = op.run(*kernel, 1);
  for (size_t i = 0; i < expected.size(); i++) {
    CAPTURE(i);
    if (expected[i].view().dtype == DataType::i8) {
      const Dense<int8_t> want = expected[i].dense<int8_t>(), got = actual[i].dense<int8_t>();
      int worst = 0;
      size_t others = 0;
      for (size_t k = 0; k < want.data.size(); k++) {
        worst = std::max(worst, std::abs(want.data[k] - got.data[k]));
        others += want.data[k] != got.data[k] ? 1 : 0;
      }
      CHECK(worst <= 1);
      CHECK(others <= 3 + want.data.size() / 10);
    } else {
      const Dense<float> want = expected[i].dense<float>(), got = actual[i].dense<float>();
      float worst = 0;
      for (size_t k = 0; k < want.data.size(); k++)
        worst = std::max(worst, std::abs(want.data[k] - got.data[k]) - 2e-6f * std::abs(want.data[k]));
      CHECK(worst <= 0.05f * sum + 1e-6f);
    }
  }
  for (int threads = 2; threads <= 4; threads++) {
    const std::vector<Tensor> again = op.run(*kernel, threads);
    for (size_t i = 0; i < expected.size(); i++) {
      if (expected[i].view().dtype == DataType::i8) check_equal(again[i].dense<int8_t>(), actual[i].dense<int8_t>());
      else check_equal(again[i].dense<float>(), actual[i].dense<float>());
    }
  }
}

#if defined(__aarch64__)
// The one fp32 output, stored as fp16.
void check_fp16_bits(const Operator& op, std::string_view name) {
  const Tensor expected = op.run(*op.kernel(), 1)[0].in_fp16();
  Operator half = op;
  half.outputs_to_fp16();
  const auto kernel = kernels::create_kernel(half.node, half.graph, kernels::kernel_sets());
  CHECK(kernel->name() == kernels::int8::kernel_name(name));
  for (int threads = 1; threads <= 4; threads++) {
    const std::vector<Tensor> actual = half.run(*kernel, threads);
    CHECK(std::memcmp(actual[0].view().data, expected.view().data, expected.bytes()) == 0);
  }
}
#endif

enum class Way { plain, fast, fp16 };

void check_way(Operator& op, std::string_view name, Way way, float unit) {
  if (way == Way::plain) return check_same_bits(op, name);
#if defined(__aarch64__)
  if (way == Way::fp16) return check_fp16_bits(op, name);
#endif
  op.attribute(graph::kFastInt8, true);
  check_close(op, name, 1.5f * unit);
}

void check_conv(const Case& c, Random& random, std::string_view name, Way way = Way::plain) {
  CAPTURE(c.str());
  const Shape out = c.out();
  Operator op(c.depthwise ? "depthwise_conv2d" : "conv2d", 2, c.end == End::int8_out ? "int8_out" : "fp32_out");
  Dense<int8_t> filter({c.out_channels, c.depthwise ? 1 : c.in_channels, c.kernel_h, c.kernel_w});
  for (int8_t& w : filter.data) w = static_cast<int8_t>(random.integer(-c.weight_reach, c.weight_reach));
  const double terms = static_cast<double>(filter.shape[1] * c.kernel_h * c.kernel_w);
  const float unit = static_cast<float>(3 / (std::sqrt(terms) * 73 * 0.58 * c.weight_reach));  // of a sum: outputs of about 3
  const float input_scale = random.real(0.01f, 0.1f);
  std::vector<float> filter_scale;
  for (int64_t o = 0; o < c.out_channels; o++) filter_scale.push_back(unit / input_scale * random.real(0.5f, 1.5f));
  set_attributes(op, c, input_scale, filter_scale, output_scale(random));
  if (random.chance(80)) op.constant("Bias", random.reals({c.out_channels}, -2, 2));
  op.constant("Filter", filter);
  op.input("Input", random.int8s({c.batch, c.in_channels, c.in_h, c.in_w}));
  add_outputs(op, c, out, random);
  check_way(op, name, way, unit);
}

void random_end(Case& c, Random& random, bool may_add) {
  c.act = random.pick({"", "relu", "hard_swish"});
  c.end = random.pick(kEnds);
  c.own_act = c.end == End::int8_out || random.chance(50);
  c.residual_scale = 0;
  if (may_add && c.end != End::int8_out && random.chance(40)) {
    c.act = "";
    const Shape out = c.out();
    c.residual_scale = out[2] % 2 == 0 && out[3] % 2 == 0 && random.chance(60) ? 2 : 1;
  }
}

// As a result of fp16 wants it.
void linear_end(Case& c, Random& random) {
  c.end = End::fp32_out;
  c.act = random.pick({"", "relu"});
  c.residual_scale = 0;
}

Case random_dense(Random& random) {
  Case c{};
  c.weight_reach = 127;
  c.batch = random.integer(1, 2);
  c.in_channels = random.pick({3, 4, 5, 8, 8, 13, 16, 20, 24, 24, 40, 56});
  c.out_channels = random.pick({5, 8, 16, 18, 24, 24, 32, 40, 48, 72});
  c.kernel_h = random.pick({1, 1, 3, 3, 3, 2, 5});
  c.kernel_w = random.chance(85) ? c.kernel_h : random.integer(1, 4);
  const std::array<int32_t, 2> strides[] = {{1, 1}, {1, 1}, {2, 2}, {2, 1}, {1, 2}, {3, 2}};
  c.strides = random.pick(strides);
  const auto pad = [&] { return static_cast<int32_t>(random.integer(0, 2)); };
  const auto half = static_cast<int32_t>(c.kernel_h / 2);
  c.pads = random.chance(70) ? std::array<int32_t, 4>{half, half, half, half} : std::array<int32_t, 4>{pad(), pad(), pad(), pad()};
  c.same = random.chance(10);
  c.in_h = random.integer(1, 7) + c.kernel_h - 1;
  c.in_w = random.integer(1, 21) + c.kernel_w - 1;
  random_end(c, random, true);
  return c;
}

Case random_depthwise(Random& random) {
  Case c{};
  c.depthwise = true;
  c.weight_reach = 127;
  c.batch = random.integer(1, 2);
  c.in_channels = c.out_channels = random.pick({5, 8, 8, 16, 20, 24});
  c.kernel_h = c.kernel_w = random.pick({3, 5});
  const std::array<int32_t, 2> strides[] = {{1, 1}, {1, 1}, {2, 2}, {2, 2}, {2, 1}, {1, 2}};
  c.strides = random.pick(strides);
  const auto pad = [&] { return static_cast<int32_t>(random.integer(0, 3)); };
  const auto half = static_cast<int32_t>(c.kernel_h / 2);
  c.pads = random.chance(70) ? std::array<int32_t, 4>{half, half, half, half} : std::array<int32_t, 4>{pad(), pad(), pad(), pad()};
  c.same = random.chance(10);
  c.in_h = random.integer(1, 11);
  c.in_w = random.integer(1, 23);
  if (!c.same && (c.in_h + c.pads[0] + c.pads[1] < c.kernel_h || c.in_w + c.pads[2] + c.pads[3] < c.kernel_w)) c.pads = {2, 2, 2, 2};
  random_end(c, random, false);
  return c;
}

// Sources of one to four factors, one of them 1, in any order; some are alike.
void check_over_upsampled(Random& random, int weight_reach, int64_t channels_from, int64_t channels_to, Way way = Way::plain) {
  std::vector<int32_t> factors{1};
  for (const int32_t usual : {2, 4, 8}) {
    const int32_t factor = random.chance(15) ? 4 : usual;
    if (random.chance(60) || (usual == 8 && factors.size() == 1))
      factors.insert(factors.begin() + random.integer(0, static_cast<int64_t>(factors.size())), factor);
  }
  const int64_t largest = *std::ranges::max_element(factors);
  Case c{};
  c.batch = random.integer(1, 2);
  c.out_channels = random.pick({5, 8, 16, 24, 24, 40});
  c.in_h = largest * random.integer(1, 16 / largest);
  c.in_w = largest * random.integer(1, 24 / largest);
  c.kernel_h = c.kernel_w = 3;
  c.strides = {1, 1};
  c.pads = {1, 1, 1, 1};
  random_end(c, random, false);
  if (way == Way::fp16) linear_end(c, random);
  CAPTURE(c.str());
  CAPTURE(factors.size());

  Operator op("conv2d_over_upsampled", 2, c.end == End::int8_out ? "int8_out" : "fp32_out");
  std::vector<float> filter_scale;
  double terms = 0;
  for (int32_t factor : factors) {
    const int64_t channels = random.integer(channels_from, channels_to);
    terms += 9.0 * static_cast<double>(channels);
    op.input("X", random.int8s({c.batch, channels, c.in_h / factor, c.in_w / factor}));
    Dense<int8_t> filter({c.out_channels, channels, 3, 3});
    for (int8_t& w : filter.data) w = static_cast<int8_t>(random.integer(-weight_reach, weight_reach));
    op.constant("Filter", filter);
  }
  const float unit = static_cast<float>(3 / (std::sqrt(terms) * 73 * 0.58 * weight_reach)), input_scale = random.real(0.01f, 0.1f);
  for (int64_t o = 0; o < c.out_channels; o++) filter_scale.push_back(unit / input_scale * random.real(0.5f, 1.5f));
  set_attributes(op, c, input_scale, filter_scale, output_scale(random));
  op.ints("factors", factors);
  if (random.chance(80)) op.constant("Bias", random.reals({c.out_channels}, -2, 2));
  add_outputs(op, c, c.out(), random);
  check_way(op, "conv2d_over_upsampled.int8", way, unit);
}

}  // namespace

TEST_CASE("int8: calib to int8 gives the generic bits" * doctest::skip(lacks_kernels())) {
  Random random(75);
  for (int i = 0; i < 200; i++) {
    Operator op("calib", 2, "fp32_to_int8");
    const float scale = random.chance(50) ? 1.0f / 64 : random.real(0.01f, 0.1f);
    const bool map = random.chance(60);
    const Shape shape = map ? Shape{random.integer(1, 2), random.integer(1, 20), random.integer(1, 5), random.integer(1, 17)}
                            : Shape{random.integer(1, 5), random.integer(1, 90)};
    CAPTURE(shape.str());
    op.attribute("scale", std::vector<float>{scale});
    op.input("Input", awkward_reals(random, shape, scale));
    op.output("Out", DataType::i8, shape);
    check_same_bits(op, "calib.fp32_to_int8");
  }
}

TEST_CASE("int8: a fast calib is off by one next to halves only" * doctest::skip(lacks_kernels())) {
  Random random(78);
  for (int i = 0; i < 200; i++) {
    Operator op("calib", 2, "fp32_to_int8");
    const float scale = random.real(0.01f, 0.1f);
    const Shape shape{random.integer(1, 2), random.integer(1, 20), random.integer(1, 5), random.integer(1, 17)};
    CAPTURE(shape.str());
    op.attribute("scale", std::vector<float>{scale});
    op.attribute(graph::kFastInt8, true);
    const Dense<float> in = awkward_reals(random, shape, scale);
    op.input("Input", in);
    op.output("Out", DataType::i8, shape);
    const auto kernel = kernels::create_kernel(op.node, op.graph, kernels::kernel_sets());
    const Dense<int8_t> got = op.run(*kernel, 1)[0].dense<int8_t>();
    float worst = 0;
    for (size_t k = 0; k < in.data.size(); k++) {
      const float steps = in.data[k] / scale, wanted = std::isnan(steps) ? -127 : std::clamp(steps, -127.0f, 127.0f);
      worst = std::max(worst, std::abs(static_cast<float>(got.data[k]) - wanted));
    }
    CHECK(worst < 0.5001f);
  }
}

TEST_CASE("int8: a residual that is not a number becomes -127 where its sum is rounded" * doctest::skip(lacks_kernels())) {
  Random random(76);
  Case c{.batch = 1,
         .in_channels = 8,
         .out_channels = 24,
         .in_h = 3,
         .in_w = 9,
         .kernel_h = 1,
         .kernel_w = 1,
         .strides = {1, 1},
         .pads = {},
         .depthwise = false,
         .same = false,
         .act = "",
         .own_act = false,
         .residual_scale = 1,
         .end = End::calib,
         .weight_reach = 127};
  for (const End end : {End::calib, End::fp32_and_calib, End::two_calibs}) {
    c.end = end;
    c.awkward_residual = true;
    check_conv(c, random, "conv2d.int8.gemm");
  }
}

TEST_CASE("int8: convolutions over upsampled maps give the generic bits" * doctest::skip(lacks_kernels())) {
  Random random(74);
  for (int i = 0; i < 200; i++) check_over_upsampled(random, 127, 2, 26);
  for (int i = 0; i < 4; i++) check_over_upsampled(random, 127, 100, 130);  // sums pass 2^22
}

TEST_CASE("int8: depthwise convolutions give the generic bits" * doctest::skip(lacks_kernels())) {
  Random random(73);
  for (int i = 0; i < 250; i++) check_conv(random_depthwise(random), random, "depthwise_conv2d.int8");
}

TEST_CASE("int8: dense convolutions give the generic bits" * doctest::skip(lacks_kernels())) {
  Random random(71);
  for (int i = 0; i < 250; i++) check_conv(random_dense(random), random, "conv2d.int8.gemm");
}

TEST_CASE("int8: rows that are joined a few at a time give the generic bits" * doctest::skip(lacks_kernels())) {
  Random random(79);
  for (int i = 0; i < 12; i++) {
    Case c = random_dense(random);
    c.in_channels = random.pick({56, 120, 336});
    c.kernel_h = c.kernel_w = 1;
    c.strides = {1, 1};
    c.pads = {0, 0, 0, 0};
    c.in_h = random.integer(13, 30);
    c.in_w = random.integer(23, 41);
    random_end(c, random, true);
    check_conv(c, random, "conv2d.int8.gemm");
  }
}

TEST_CASE("int8: dense convolutions whose sums pass 2^22 give the generic bits" * doctest::skip(lacks_kernels())) {
  Random random(72);
  for (int i = 0; i < 12; i++) {
    Case c = random_dense(random);
    c.in_channels = 520;
    c.kernel_h = c.kernel_w = i % 2 == 0 ? 1 : 3;
    c.pads = {0, 0, 0, 0};
    c.in_h = c.in_w = 4;
    random_end(c, random, true);
    check_conv(c, random, "conv2d.int8.gemm");
  }
}

TEST_CASE("int8: fast convolutions are within one of the generic ones" * doctest::skip(lacks_kernels())) {
  Random random(77);
  for (int i = 0; i < 250; i++) check_conv(random_dense(random), random, "conv2d.int8.gemm", Way::fast);
  for (int i = 0; i < 100; i++) check_conv(random_depthwise(random), random, "depthwise_conv2d.int8", Way::fast);
}

#if defined(__aarch64__)
TEST_CASE("int8: results stored as fp16 are the generic ones rounded" * doctest::skip(lacks_kernels())) {
  Random random(80);
  for (int i = 0; i < 200; i++) {
    Case c = random_dense(random);
    linear_end(c, random);
    check_conv(c, random, "conv2d.int8.gemm", Way::fp16);
  }
  for (int i = 0; i < 60; i++) check_over_upsampled(random, 127, 2, 26, Way::fp16);
  for (int i = 0; i < 2; i++) check_over_upsampled(random, 127, 100, 130, Way::fp16);  // sums pass 2^22
}
#endif

}  // namespace edgeocr::kernel_test
#endif
