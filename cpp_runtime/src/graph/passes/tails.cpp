#include "graph/passes/tails.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace edgeocr::graph {

namespace {

// Sorted. The fused forms of elementwise operators have an activation of their own and may have a tail as well.
constexpr std::array<std::string_view, 8> kProducts{
    "conv2d", "conv2d_over_upsampled", "conv2d_transpose", "depthwise_conv2d", "fc", "matmul", "matmul_v2", "mul"};
constexpr std::array<std::string_view, 19> kOthers{"batch_norm",
                                                   "elementwise_add",
                                                   "elementwise_div",
                                                   "elementwise_mul",
                                                   "elementwise_sub",
                                                   "fusion_elementwise_add_activation",
                                                   "fusion_elementwise_div_activation",
                                                   "fusion_elementwise_mul_activation",
                                                   "fusion_elementwise_sub_activation",
                                                   "hard_sigmoid",
                                                   "hard_swish",
                                                   "leaky_relu",
                                                   "pool2d",
                                                   "relu",
                                                   "relu6",
                                                   "scale",
                                                   "sigmoid",
                                                   "swish",
                                                   "tanh"};

bool gives_int8(const Node& node) { return node.alias == "int8_out" || node.alias == "int8out"; }

}  // namespace

bool is_product(const Node& node) { return std::ranges::find(kProducts, node.op) != kProducts.end(); }

bool takes_tail(const Node& node) {
  return (is_product(node) || std::ranges::find(kOthers, node.op) != kOthers.end()) && !gives_int8(node);
}

FusedTail tail_of(const Node& node) {
  if (node.tail != nullptr) return *node.tail;
  FusedTail tail;
  tail.outputs.resize(node.outputs.size());
  return tail;
}

void set_tail(Node& node, FusedTail tail) { node.tail = std::make_shared<const FusedTail>(std::move(tail)); }

bool takes_residual(const FusedTail& tail) {
  return tail.residual < 0 && tail.outputs.size() == 1 && tail.outputs[0].dtype == DataType::f32;
}
bool takes_activation(const FusedTail& tail) { return takes_residual(tail) && tail.activation == nullptr; }
bool takes_addend(const FusedTail& tail) { return takes_activation(tail) && tail.addend == nullptr; }

}  // namespace edgeocr::graph
