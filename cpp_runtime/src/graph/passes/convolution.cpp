#include "graph/passes/convolution.h"

#include <algorithm>

namespace edgeocr::graph {

namespace {

bool all_are(const std::vector<int64_t>& values, int64_t expected) {
  return std::ranges::all_of(values, [&](int64_t v) { return v == expected; });
}

// Strides and the like, empty: 1.
bool are_one(const Node& node, std::string_view name) { return all_are(node.attr_ints(name), 1); }

bool keeps_size(const Node& node, int64_t kernel) {
  const std::string algorithm = node.attr_string("padding_algorithm", "EXPLICIT");
  if (algorithm == "SAME") return true;
  if (algorithm == "VALID") return kernel == 1;
  const std::vector<int64_t> pads = node.attr_ints("paddings", {0, 0});
  return all_are(pads, kernel / 2);
}

const Constant* weights_of(const Node& node, const Graph& graph) {
  if (node.op == "fc") return graph.constant(node.input("W"));
  const bool product = node.op == "matmul" || node.op == "matmul_v2" || node.op == "mul";
  return graph.constant(node.input(product ? "Y" : "Filter"));
}

}  // namespace

bool is_same_conv(const Node& node, const Graph& graph, int64_t kernel) {
  if (node.op != "conv2d" || graph.constant(node.input("Input")) != nullptr) return false;
  const Constant* filter = graph.constant(node.input("Filter"));
  return filter != nullptr && filter->shape.rank() == 4 && filter->shape[2] == kernel && filter->shape[3] == kernel &&
         node.attr_int("groups", 1) == 1 && are_one(node, "strides") && are_one(node, "dilations") && keeps_size(node, kernel);
}

bool has_activation(const Node& node) {
  return node.attr_int("fuse_relu", 0) != 0 || (node.attr_int("with_act", 0) != 0 && !node.attr_string("act_type").empty());
}

int64_t output_channels(const Node& node, const Graph& graph) {
  const Constant* weights = weights_of(node, graph);
  if (weights == nullptr) return -1;
  const Shape& shape = weights->shape;
  if (node.op == "conv2d" || node.op == "depthwise_conv2d") return shape[0];
  if (node.op == "conv2d_transpose") return shape[1] * node.attr_int("groups", 1);
  if (shape.rank() != 2) return -1;
  const bool transposed = node.attr_int("transpose_Y", 0) != 0 || node.attr_int("trans_y", 0) != 0;
  return shape[transposed ? 0 : 1];
}

int nearest_factor(const Node& node, const Graph& graph) {
  if ((node.op != "nearest_interp" && node.op != "nearest_interp_v2") || graph.constant(node.input("X")) != nullptr) return 0;
  if (node.attr_int("align_corners", 0) != 0 || node.input("SizeTensor") != kNoValue || node.input("OutSize") != kNoValue) return 0;
  std::vector<float> scale = node.attr_floats("scale");
  if (node.input("Scale") != kNoValue) {
    const Constant* tensor = graph.constant(node.input("Scale"));
    if (tensor == nullptr || tensor->dtype != DataType::f32) return 0;
    scale.assign(tensor->as<float>().begin(), tensor->as<float>().end());
  }
  if (scale.empty() || scale.size() > 2 || scale.front() != scale.back()) return 0;
  for (int factor : {1, 2, 4, 8, 16})
    if (scale.front() == static_cast<float>(factor)) return factor;
  return 0;
}

}  // namespace edgeocr::graph
