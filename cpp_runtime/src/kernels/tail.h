// The tail of a node (graph/fused_tail.h) as kernels want it.
//
// Per element, with y the fp32 result of the node itself, each step rounded by itself (no fused multiply-add):
//   y = y + addend[c];  y = activation(y);  y = y + r;  output i: y, or quantise(y, outputs[i].inverse_scale)
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "kernels/unary.h"

namespace edgeocr::kernels {

struct TailParameters {
  struct Output {
    DataType dtype = DataType::f32;  // f32, i8, or, where the kernel can, f16
    float inverse_scale = 0;         // i8: 1.0f / the calib's scale
    bool int8() const { return dtype == DataType::i8; }
  };
  std::vector<float> addend;        // one per channel of a map, per column of a matrix; empty: none
  std::optional<Unary> activation;  // computed as the operator of its own would be
  int residual = -1;                // position among the node's inputs of an fp32 tensor; -1: none
  int residual_scale = 1;           // r is read at (y / scale, x / scale)
  std::vector<Output> outputs;      // one per output of the node, at least one

  bool has_f16_output() const {
    return std::ranges::any_of(outputs, [](const Output& output) { return output.dtype == DataType::f16; });
  }
  bool has_steps() const { return !addend.empty() || activation.has_value() || residual >= 0; }
};

// Fails with "<label>: …" on a tail that makes no sense. A node without a tail has no steps and one fp32 output (its own
// int8_out, if it is one, is the kernel's business).
TailParameters parse_tail(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels
