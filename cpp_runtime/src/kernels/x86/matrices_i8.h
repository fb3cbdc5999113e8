// int8 matrix products of the x86 set as entries of its table.
#pragma once

#include "kernels/kernel.h"

namespace edgeocr::kernels::x86 {

// fc, mul, matmul and matmul_v2 of precision int8, weights constant.
bool accepts_fc_i8(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_fc_i8(const graph::Node& node, const graph::Graph& graph);

}  // namespace edgeocr::kernels::x86
