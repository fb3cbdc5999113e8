// The factories behind the generic table, one per operator family. Each fails with one line on attributes or inputs that
// its operator cannot have.
#pragma once

#include <memory>

#include "kernels/kernel.h"

namespace edgeocr::kernels::generic {

using Factory = std::unique_ptr<Kernel>(const graph::Node& node, const graph::Graph& graph);

Factory create_activation;
Factory create_batch_norm;
Factory create_calib;
Factory create_concat;
Factory create_conv2d;
Factory create_conv2d_over_upsampled;
Factory create_conv2d_transpose;
Factory create_conv2d_transpose_pair;
Factory create_dynamic_fc;
Factory create_elementwise;
Factory create_fc;
Factory create_greedy_ctc;
Factory create_interp;
Factory create_matmul;
Factory create_pool2d;
Factory create_reshape;
Factory create_rnn;
Factory create_scale;
Factory create_slice;
Factory create_softmax;
Factory create_split;
Factory create_transpose;

}  // namespace edgeocr::kernels::generic
