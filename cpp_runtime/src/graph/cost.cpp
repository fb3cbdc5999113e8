#include "graph/cost.h"

namespace edgeocr::graph {

namespace {

int64_t pixels(const Shape& map) { return map[0] * map[2] * map[3]; }

}  // namespace

int64_t macs_of(const Node& node, std::span<const Inferred> values) {
  auto shape = [&](ValueId id) -> const Shape& { return values[static_cast<size_t>(id)].shape; };
  if (node.outputs.empty() || node.outputs[0].value == kNoValue) return 0;
  const Shape& out = shape(node.outputs[0].value);
  if (node.op == "conv2d" || node.op == "depthwise_conv2d") return pixels(out) * shape(node.input("Filter")).count();
  if (node.op == "conv2d_transpose") return pixels(shape(node.input("Input"))) * shape(node.input("Filter")).count();
  if (node.op == "conv2d_transpose_pair") {
    const int64_t first = shape(node.input("Filter", 0)).count(), second = shape(node.input("Filter", 1)).count();
    return pixels(shape(node.input("Input"))) * (first + 4 * second);
  }
  if (node.op == "conv2d_over_upsampled") {
    int64_t macs = 0;  // nine products per pixel of each source, at its own resolution
    for (size_t i = 0; i < node.all_inputs("X").size(); i++)
      macs += pixels(shape(node.input("X", static_cast<int>(i)))) * shape(node.input("Filter", static_cast<int>(i))).count();
    return macs;
  }
  if (node.op == "fc" || node.op == "dynamic_fc") return out.count() * shape(node.input("W"))[0];
  if (node.op == "mul") {
    const Shape& y = shape(node.input("Y"));
    int64_t k = 1;
    for (int i = 0; i < node.attr_int("y_num_col_dims", 1); i++) k *= y[i];
    return out.count() * k;
  }
  if (node.op == "matmul" || node.op == "matmul_v2") {
    // Y is K x N, or N x K, per batch.
    const Shape& y = shape(node.input("Y"));
    return out.count() * (y[y.rank() - 1] * y[y.rank() - 2] / out[out.rank() - 1]);
  }
  if (node.op == "rnn") {
    const Shape& input = shape(node.input("Input"));
    int64_t weights = 0;
    for (ValueId id : node.all_inputs("WeightList"))
      if (shape(id).rank() == 2) weights += shape(id).count();
    return input[0] * input[1] * weights;
  }
  return 0;
}

int64_t bytes_of(const Node& node, std::span<const Inferred> values) {
  int64_t bytes = 0;
  auto add = [&](const Port& port) {
    if (port.value == kNoValue) return;
    const Inferred& tensor = values[static_cast<size_t>(port.value)];
    bytes += tensor.shape.count() * static_cast<int64_t>(size_of(tensor.dtype));
  };
  for (const Port& port : node.inputs) add(port);
  for (const Port& port : node.outputs) add(port);
  return bytes;
}

}  // namespace edgeocr::graph
