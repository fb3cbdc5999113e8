// Scales of int8 outputs that cannot be divided by.
#include <array>
#include <string>

#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

Operator product(const std::string& op_name, float output_scale) {
  const bool fc = op_name == "fc";
  Operator op(op_name, 2, fc ? "int8out" : "int8_out");
  Random random(5);
  const int64_t c = 8;
  if (fc) {
    op.input("Input", random.int8s({2, c}));
    op.constant("W", random.int8s({c, c}));
    op.attribute("in_num_col_dims", int32_t{1});
    op.attribute("W0_scale", std::vector<float>{0.01f});
    op.output("Out", DataType::i8, {2, c});
  } else {
    const bool depthwise = op_name == "depthwise_conv2d";
    op.input("Input", random.int8s({1, c, 4, 4}));
    op.constant("Filter", random.int8s({c, depthwise ? 1 : c, 3, 3}));
    op.ints("strides", {1, 1});
    op.ints("dilations", {1, 1});
    op.ints("paddings", {1, 1, 1, 1});
    op.attribute("groups", static_cast<int32_t>(depthwise ? c : 1));
    op.attribute("Filter0_scale", std::vector<float>{0.01f});
    op.output("Output", DataType::i8, {1, c, 4, 4});
  }
  op.attribute("Input0_scale", std::vector<float>{0.02f});
  op.attribute("Output0_scale", std::vector<float>{output_scale});
  return op;
}

constexpr std::array<const char*, 3> kProducts{"conv2d", "depthwise_conv2d", "fc"};

}  // namespace

TEST_CASE("requantisation: a scale whose inverse overflows is left to the plain kernels, which fast ones would not equal") {
  for (const char* name : kProducts) {
    CAPTURE(name);
    const Operator op = product(name, 1e-44f);
    CHECK(kernels::create_kernel(op.node, op.graph, kernels::kernel_sets())->name().starts_with("generic."));
  }
}

TEST_CASE("requantisation: an output's scale is above 0") {
  for (const char* name : kProducts) {
    CAPTURE(name);
    const Operator none = product(name, 0), below = product(name, -0.5f);
    const auto kernel = [](const Operator& op) { return kernels::create_kernel(op.node, op.graph, kernels::kernel_sets()); };
    CHECK_THROWS_WITH(kernel(none), ("test.nb: " + std::string(name) + " #0: Output0_scale is 0, expected more than 0").c_str());
    CHECK_THROWS_WITH(kernel(below), ("test.nb: " + std::string(name) + " #0: Output0_scale is -0.5, expected more than 0").c_str());
  }
}

}  // namespace edgeocr::kernel_test
