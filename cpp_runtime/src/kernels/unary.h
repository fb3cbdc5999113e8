// Functions of one value, as operators of their own and in the tail of another node (graph/fused_tail.h).
#pragma once

#include "graph/graph.h"
#include "kernels/requant.h"

namespace edgeocr::kernels {

enum class UnaryOp : uint8_t { relu, relu6, leaky_relu, hard_swish, hard_sigmoid, sigmoid, tanh, swish };

// Those of the activations that convolutions can carry are in Activation.
struct UnaryParameters {
  Activation act;               // relu6, leaky_relu, hard_swish
  float slope = 0, offset = 0;  // hard_sigmoid: clip(x * slope + offset, 0, 1)
  float beta = 1;               // swish: x * sigmoid(beta * x)
};

struct Unary {
  UnaryOp op = UnaryOp::relu;
  UnaryParameters parameters;
};

// Whether an operator of this name is one.
bool is_unary(std::string_view op);

// Reads the attributes; fails with "<label>: not an activation" on other operators.
Unary unary_of(const graph::Node& node);

// f(0) = 0: padding lanes may be computed like the rest.
bool keeps_zero(UnaryOp op);

}  // namespace edgeocr::kernels
