#include "graph/passes/dequantize_weights.h"

#include <map>

#include "base/aligned.h"
#include "base/error.h"

namespace edgeocr::graph {

namespace {

// Output channels lie in the first dimension of a convolution's filter, in the last one of a matrix or a bias.
int channel_axis(const Node& node, const Port& port, const Constant& constant) {
  bool convolution = node.op.find("conv2d") != std::string::npos;
  return convolution && port.parameter == "Filter" ? 0 : constant.shape.rank() - 1;
}

template <class T> void dequantize(std::span<const T> quantized, std::span<const float> scales, size_t inner, float* out) {
  for (size_t i = 0; i < quantized.size(); i++) out[i] = static_cast<float>(quantized[i]) * scales[i / inner % scales.size()];
}

std::shared_ptr<const Constant> dequantized(const Constant& constant, int axis, std::span<const float> scales) {
  size_t inner = 1;
  for (int i = axis + 1; i < constant.shape.rank(); i++) inner *= static_cast<size_t>(constant.shape[i]);
  size_t bytes = static_cast<size_t>(constant.shape.count()) * sizeof(float);
  auto memory = allocate_aligned(bytes, "dequantised weights");
  auto* out = reinterpret_cast<float*>(memory.get());
  if (constant.dtype == DataType::i8) dequantize(constant.as<int8_t>(), scales, inner, out);
  else dequantize(constant.as<int16_t>(), scales, inner, out);
  std::span<const std::byte> data(memory.get(), bytes);
  return std::make_shared<Constant>(Constant{DataType::f32, constant.shape, std::move(memory), data});
}

}  // namespace

void dequantize_weights(Graph& graph) {
  struct Done {
    ValueId value;
    std::vector<float> scales;
  };
  std::map<ValueId, Done> done;  // a parameter read by two operators is expanded once
  for (Node& node : graph.nodes) {
    for (Port& port : node.inputs) {
      const Constant* constant = graph.constant(port.value);
      if (constant == nullptr || (constant->dtype != DataType::i8 && constant->dtype != DataType::i16)) continue;
      std::string name = graph.value(port.value).name;
      std::vector<float> scales = node.attr_floats(name + "_quant_scale");
      if (scales.empty()) continue;
      int axis = channel_axis(node, port, *constant);
      if (axis < 0 || static_cast<int64_t>(scales.size()) != constant->shape[axis])
        fail("%s: %s: %s_quant_scale has %zu values, expected one per channel of %s", graph.name.c_str(), node.label().c_str(),
             name.c_str(), scales.size(), constant->shape.str().c_str());
      auto it = done.find(port.value);
      if (it == done.end()) {
        auto expanded = dequantized(*constant, axis, scales);
        graph.values.push_back({name, std::move(expanded)});
        it = done.emplace(port.value, Done{static_cast<ValueId>(graph.values.size() - 1), std::move(scales)}).first;
      } else if (it->second.scales != scales) {
        fail("%s: %s: %s_quant_scale differs from the one that another operator gives", graph.name.c_str(), node.label().c_str(),
             name.c_str());
      }
      port.value = it->second.value;
    }
  }
}

}  // namespace edgeocr::graph
