// From the int32 sums of a node of precision int8 to its values: what requant.h folds its scales, bias and activation to.
#pragma once

#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/fc_form.h"
#include "kernels/requant.h"

namespace edgeocr::kernels::generic {

struct Requantisation {
  DataType output = DataType::f32;  // or i8
  std::vector<float> scale, bias;   // per channel or column, in units of the output, as the activation is
  Activation act;

  // Whether all of it is; of an Output0_scale near 0 it is not.
  bool is_finite() const;
};

// Both fail on scales of another count and on an output's scale that is not above 0.
Requantisation conv_requantisation(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters);
// fc, mul, matmul. Of dynamic_fc: all but the scales of its rows.
Requantisation fc_requantisation(const graph::Node& node, const graph::Graph& graph, const FcForm& form);

}  // namespace edgeocr::kernels::generic
