// Operators that passes have moved into the node which makes their input: the tail of a node.
//
// A kernel applies the tail to every element before it is stored. With y the fp32 result of the node itself (its own Bias
// and act_type included), in this order and with the rounding that the separate operators have:
//   1. addend       y = y + constant[c]                     elementwise_add of one constant per channel (or per column of a matrix)
//   2. activation   y = hard_swish(y), relu(y), sigmoid(y)…  the operator with its attributes, kernels/requant.h and math.h
//   3. residual     y = y + r                               elementwise_add of another map; r is read at (y / scale, x / scale)
//                                                           where a nearest upsampling was absorbed
//   4. outputs      y itself (fp32), or int8: calib's quantise(y, 1 / scale); several where the result has several readers
// So a fused graph gives the same bits as the file's own, operator by operator.
//
// Node::outputs has one port per output of the tail (the node's parameter, index 0, 1, …), all of which something reads. The residual
// is the input "Residual", of the output's shape (its height and width over residual_scale).
#pragma once

#include <memory>
#include <vector>

#include "base/tensor.h"

namespace edgeocr::graph {

struct Constant;
struct Node;

struct FusedTail {
  // How the output of the same position in Node::outputs is stored.
  struct Output {
    DataType dtype = DataType::f32;  // f32, i8, or, where the kernel can, f16
    float scale = 0;                 // i8: calib's
  };
  std::shared_ptr<const Constant> addend;  // null: none
  std::shared_ptr<const Node> activation;  // the absorbed operator (its ports mean nothing any more); null: none
  int residual = -1;                       // position in Node::inputs; -1: none
  int residual_scale = 1;                  // nearest upsampling factor of the residual, both directions
  std::vector<Output> outputs;             // one per Node::outputs
};

}  // namespace edgeocr::graph
