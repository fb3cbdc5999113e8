// conv2d_over_upsampled against conv2d over the concat of the maps, upsampled one by one.
#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

template <class T> struct Case {
  std::vector<Dense<T>> sources, filters;
  std::vector<int32_t> factors;
  Dense<T> joined, filter;  // all sources upsampled, all filters side by side
};

template <class T> Dense<T> random_dense(Random& random, const Shape& shape) {
  if constexpr (std::is_same_v<T, float>) return random.reals(shape);
  else return random.int8s(shape);
}

template <class T> Case<T> random_case(Random& random) {
  constexpr int32_t kFactors[] = {1, 1, 2, 4, 8};
  Case<T> made;
  const int64_t count = random.integer(1, 4), out = random.integer(1, 27), batch = random.chance(20) ? 2 : 1;
  int32_t largest = 1;
  for (int64_t i = 0; i < count; i++) made.factors.push_back(random.pick(kFactors));
  for (int32_t factor : made.factors) largest = std::max(largest, factor);
  const int64_t height = largest * random.integer(1, 9 / largest + 1), width = largest * random.integer(1, 12 / largest + 1);
  int64_t channels = 0;
  for (int32_t factor : made.factors) {
    const int64_t own = random.integer(1, 26);
    made.sources.push_back(random_dense<T>(random, {batch, own, height / factor, width / factor}));
    made.filters.push_back(random_dense<T>(random, {out, own, 3, 3}));
    channels += own;
  }
  made.joined = Dense<T>({batch, channels, height, width});
  made.filter = Dense<T>({out, channels, 3, 3});
  int64_t first = 0;
  for (size_t i = 0; i < made.sources.size(); i++) {
    const int64_t own = made.sources[i].shape[1], factor = made.factors[i];
    for (int64_t n = 0; n < batch; n++)
      for (int64_t c = 0; c < own; c++)
        for (int64_t y = 0; y < height; y++)
          for (int64_t x = 0; x < width; x++) made.joined.at(n, first + c, y, x) = made.sources[i].at(n, c, y / factor, x / factor);
    for (int64_t o = 0; o < out; o++)
      for (int64_t c = 0; c < own; c++)
        for (int64_t t = 0; t < 9; t++) made.filter.at(o, first + c, t / 3, t % 3) = made.filters[i].at(o, c, t / 3, t % 3);
    first += own;
  }
  return made;
}

template <class T> Operator over_upsampled(const Case<T>& given, const char* alias) {
  Operator op("conv2d_over_upsampled", std::is_same_v<T, float> ? 1 : 2, alias);
  for (size_t i = 0; i < given.sources.size(); i++) {
    op.input("X", given.sources[i]);
    op.constant("Filter", given.filters[i]);
  }
  op.ints("factors", given.factors);
  return op;
}

template <class T> Operator plain(const Case<T>& given, const char* alias) {
  Operator op("conv2d", std::is_same_v<T, float> ? 1 : 2, alias);
  op.input("Input", given.joined);
  op.constant("Filter", given.filter);
  op.ints("strides", {1, 1});
  op.ints("paddings", {1, 1});
  op.ints("dilations", {1, 1});
  op.attribute("groups", 1);
  return op;
}

Shape output_shape(const Shape& joined, const Shape& filter) { return {joined[0], filter[0], joined[2], joined[3]}; }

void add_scales(Random& random, Operator& op, int64_t filters, const std::string& alias) {
  std::vector<float> scales;
  for (int64_t o = 0; o < filters; o++) scales.push_back(random.real(0.0005f, 0.002f));
  op.attribute("Filter0_scale", scales);
  op.attribute("Input0_scale", std::vector<float>{0.013f});
  if (alias == "int8_out") op.attribute("Output0_scale", std::vector<float>{0.02f});
  if (random.chance(50)) op.attribute("fuse_relu", true);
}

}  // namespace

TEST_CASE("conv2d_over_upsampled int8: the sums are exact") {
  for (uint32_t seed = 1; seed <= 200; seed++) {
    Random random(seed);
    const auto given = random_case<int8_t>(random);
    const char* alias = random.chance(50) ? "int8_out" : "fp32_out";
    CAPTURE(seed);
    CAPTURE(given.joined.shape.str());
    Operator split = over_upsampled(given, alias), whole = plain(given, alias);
    const Dense<float> bias = random.reals({given.filter.shape[0]});
    const uint32_t scales = seed + 1000;
    for (Operator* op : {&split, &whole}) {
      Random same(scales);
      add_scales(same, *op, given.filter.shape[0], alias);
      op->constant("Bias", bias);
      const DataType dtype = std::string(alias) == "int8_out" ? DataType::i8 : DataType::f32;
      op->output("Output", dtype, output_shape(given.joined.shape, given.filter.shape));
    }
    const Tensor actual = split.run(), expected = whole.run();
    REQUIRE(std::memcmp(actual.view().data, expected.view().data, expected.bytes()) == 0);
  }
}

TEST_CASE("conv2d_over_upsampled fp32: another order of the sums") {
  for (uint32_t seed = 1; seed <= 200; seed++) {
    Random random(seed);
    const auto given = random_case<float>(random);
    CAPTURE(seed);
    CAPTURE(given.joined.shape.str());
    Operator split = over_upsampled(given, "def"), whole = plain(given, "def");
    const Dense<float> bias = random.reals({given.filter.shape[0]});
    for (Operator* op : {&split, &whole}) {
      op->constant("Bias", bias);
      op->output("Output", DataType::f32, output_shape(given.joined.shape, given.filter.shape));
    }
    check_close(split.run().dense<float>(), whole.run().dense<float>(), 2e-5);
  }
}

TEST_CASE("conv2d_over_upsampled: every level gives the same int8 bits") {
  for (uint32_t seed = 300; seed < 340; seed++) {
    Random random(seed);
    const auto given = random_case<int8_t>(random);
    Operator op = over_upsampled(given, "int8_out");
    add_scales(random, op, given.filter.shape[0], "int8_out");
    op.output("Output", DataType::i8, output_shape(given.joined.shape, given.filter.shape));
    const Tensor best = op.run();
    for (const Tensor& other : op.other_levels()) CHECK(std::memcmp(best.view().data, other.view().data, best.bytes()) == 0);
  }
}

TEST_CASE("conv2d_over_upsampled: maps that do not fit are refused") {
  Operator op("conv2d_over_upsampled");
  op.input("X", Dense<float>({1, 2, 4, 4}));
  op.constant("Filter", Dense<float>({5, 2, 3, 3}));
  op.ints("factors", {2});
  op.output("Output", DataType::f32, {1, 5, 4, 4});
  CHECK_THROWS_WITH(op.run(), "conv2d_over_upsampled: 1x2x4x4 enlarged 2 times to 1x5x4x4, expected 2 to 5 channels");
  Operator wrong("conv2d_over_upsampled");
  wrong.input("X", Dense<float>({1, 2, 4, 4}));
  wrong.constant("Filter", Dense<float>({5, 2, 1, 1}));
  wrong.ints("factors", {2});
  CHECK_THROWS_WITH(wrong.kernel(), "test.nb: conv2d_over_upsampled #0: Filter is fp32 5x2x1x1, expected fp32 5xCx3x3");
}

}  // namespace edgeocr::kernel_test
