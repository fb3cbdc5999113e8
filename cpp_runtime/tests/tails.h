// Nodes with tails of every form, for the tests of the fast kernel sets.
#pragma once

#include <memory>
#include <string>

#include "graph/fused_tail.h"
#include "kernel_harness.h"

namespace edgeocr::kernel_test {

inline const char* tail_activation(Random& random) {
  return random.pick({"relu", "hard_swish", "hard_swish", "relu6", "leaky_relu", "sigmoid", "hard_sigmoid", "swish", "tanh"});
}

// Outputs of a shape, and a tail of any form to make them; returns it as text. residual_scale is 1 or divides height and width. may_round:
// outputs may be int8.
inline std::string add_tail(Operator& op, Random& random, const std::string& output, const Shape& shape, int residual_scale = 1,
                            bool may_round = true) {
  std::string text;
  graph::FusedTail tail;
  if (random.chance(20)) {
    const int64_t n = shape[shape.rank() == 4 ? 1 : shape.rank() - 1];
    const auto owner = std::make_shared<std::vector<float>>(random.reals({n}).data);
    tail.addend =
        std::make_shared<graph::Constant>(graph::Constant{DataType::f32, {n}, owner, std::as_bytes(std::span<const float>(*owner))});
    text += " addend";
  }
  if (random.chance(60)) {
    graph::Node activation;
    activation.op = tail_activation(random);
    if (activation.op == "leaky_relu") activation.attrs["alpha"] = 0.1f;
    text += " then " + activation.op;
    tail.activation = std::make_shared<const graph::Node>(activation);
  }
  if (random.chance(40)) {
    Shape residual = shape;
    if (shape.rank() == 4) residual[2] /= residual_scale, residual[3] /= residual_scale;
    tail.residual = static_cast<int>(op.node.inputs.size());
    tail.residual_scale = residual_scale;
    op.input("Residual", random.reals(residual));
    text += " residual x" + std::to_string(residual_scale);
  }
  const int count = random.chance(20) ? 2 : 1;
  for (int i = 0; i < count; i++) {
    const DataType dtype = may_round && random.chance(30) ? DataType::i8 : DataType::f32;
    tail.outputs.push_back({dtype, dtype == DataType::i8 ? random.real(0.003f, 0.05f) : 0.0f});
    op.output(output, dtype, shape);
    text += std::string(" to ") + name_of(dtype);
  }
  const bool steps = tail.addend != nullptr || tail.activation != nullptr || tail.residual >= 0;
  if (steps || count > 1 || tail.outputs[0].dtype != DataType::f32) op.node.tail = std::make_shared<const graph::FusedTail>(tail);
  return text;
}

}  // namespace edgeocr::kernel_test
