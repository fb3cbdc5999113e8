// The table: which operators there are, and what a node that none accepts says.
#include "graph/operators.h"
#include "kernel_harness.h"

namespace edgeocr::kernel_test {

TEST_CASE("the graph knows every operator that has a kernel, and each has one entry") {
  std::string_view before;
  for (const kernels::KernelEntry& entry : kernels::generic_set()) {
    CAPTURE(entry.op);
    CHECK(graph::find_operator(entry.op) != nullptr);
    CHECK(before < entry.op);
    before = entry.op;
  }
}

TEST_CASE("every operator that runs has a kernel") {
  // What shape inference evaluates when a plan is made needs none.
  constexpr std::string_view kEvaluated[] = {"shape", "fill_constant", "fill_constant_batch_size_like"};
  constexpr std::string_view kRun[] = {"batch_norm",
                                       "calib",
                                       "concat",
                                       "conv2d",
                                       "conv2d_over_upsampled",
                                       "conv2d_transpose",
                                       "conv2d_transpose_pair",
                                       "depthwise_conv2d",
                                       "dynamic_fc",
                                       "elementwise_add",
                                       "elementwise_div",
                                       "elementwise_mul",
                                       "elementwise_sub",
                                       "fc",
                                       "flatten2",
                                       "flatten_contiguous_range",
                                       "fusion_elementwise_add_activation",
                                       "fusion_elementwise_div_activation",
                                       "fusion_elementwise_mul_activation",
                                       "fusion_elementwise_sub_activation",
                                       "greedy_ctc",
                                       "hard_sigmoid",
                                       "hard_swish",
                                       "leaky_relu",
                                       "matmul",
                                       "matmul_v2",
                                       "mul",
                                       "nearest_interp",
                                       "nearest_interp_v2",
                                       "pool2d",
                                       "relu",
                                       "relu6",
                                       "reshape2",
                                       "rnn",
                                       "scale",
                                       "sigmoid",
                                       "slice",
                                       "softmax",
                                       "split",
                                       "squeeze2",
                                       "swish",
                                       "tanh",
                                       "transpose2",
                                       "unsqueeze2"};
  CHECK(kernels::generic_set().size() == std::size(kRun));
  for (std::string_view op : kEvaluated) CHECK(graph::find_operator(op)->evaluation == graph::Evaluation::always);
  for (std::string_view op : kRun) {
    CAPTURE(op);
    CHECK(std::ranges::any_of(kernels::generic_set(), [&](const kernels::KernelEntry& entry) { return entry.op == op; }));
  }
}

TEST_CASE("generic is the last of the kernel sets") { CHECK(kernels::kernel_sets().back().data() == kernels::generic_set().data()); }

TEST_CASE("a node that no set accepts is named with its graph") {
  Operator op("gelu");
  op.node.index = 7;
  CHECK_THROWS_WITH(op.kernel(), "test.nb: operator gelu #7 is not supported");
}

TEST_CASE("the baseline level is always usable, and the levels are told apart") {
  const auto levels = kernels::generic::usable_loops();
  REQUIRE(!levels.empty());
  CHECK(std::string_view(levels.back()->isa) == "baseline");
  for (size_t i = 1; i < levels.size(); i++) CHECK(levels[i] != levels[i - 1]);
}

}  // namespace edgeocr::kernel_test
