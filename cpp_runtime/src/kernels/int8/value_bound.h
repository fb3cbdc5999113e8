// How large values can become that int8 convolutions make: what is known to be a number and to fit 16 bits is rounded in fewer steps.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "kernels/requant.h"

namespace edgeocr::kernels::int8 {

// Per output channel of an int8 convolution: bound of |sum|.
std::vector<double> sum_bounds(const graph::Node& node, const graph::Graph& graph);

// Bound of |f(y)| for |y| <= bound; infinite for functions that are not bounded by it.
double activated_bound(double bound, const Activation& act);

// Bound of |value| of a map: what an int8 convolution with fp32 output makes, residuals included. Infinite where nothing is known.
double value_bound(graph::ValueId value, const graph::Graph& graph);

}  // namespace edgeocr::kernels::int8
