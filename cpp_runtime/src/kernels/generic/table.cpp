// The plain kernel set: one entry per operator.
#include "kernels/generic/operators.h"

namespace edgeocr::kernels {

namespace {

using namespace generic;

constexpr KernelEntry kEntries[] = {
    {"batch_norm", nullptr, create_batch_norm},
    {"calib", nullptr, create_calib},
    {"concat", nullptr, create_concat},
    {"conv2d", nullptr, create_conv2d},
    {"conv2d_transpose", nullptr, create_conv2d_transpose},
    {"depthwise_conv2d", nullptr, create_conv2d},
    {"elementwise_add", nullptr, create_elementwise},
    {"elementwise_div", nullptr, create_elementwise},
    {"elementwise_mul", nullptr, create_elementwise},
    {"elementwise_sub", nullptr, create_elementwise},
    {"fc", nullptr, create_fc},
    {"flatten2", nullptr, create_reshape},
    {"flatten_contiguous_range", nullptr, create_reshape},
    {"fusion_elementwise_add_activation", nullptr, create_elementwise},
    {"fusion_elementwise_div_activation", nullptr, create_elementwise},
    {"fusion_elementwise_mul_activation", nullptr, create_elementwise},
    {"fusion_elementwise_sub_activation", nullptr, create_elementwise},
    {"hard_sigmoid", nullptr, create_activation},
    {"hard_swish", nullptr, create_activation},
    {"leaky_relu", nullptr, create_activation},
    {"matmul", nullptr, create_matmul},
    {"matmul_v2", nullptr, create_matmul},
    {"mul", nullptr, create_fc},
    {"nearest_interp", nullptr, create_interp},
    {"nearest_interp_v2", nullptr, create_interp},
    {"pool2d", nullptr, create_pool2d},
    {"relu", nullptr, create_activation},
    {"relu6", nullptr, create_activation},
    {"reshape2", nullptr, create_reshape},
    {"rnn", nullptr, create_rnn},
    {"scale", nullptr, create_scale},
    {"sigmoid", nullptr, create_activation},
    {"slice", nullptr, create_slice},
    {"softmax", nullptr, create_softmax},
    {"split", nullptr, create_split},
    {"squeeze2", nullptr, create_reshape},
    {"swish", nullptr, create_activation},
    {"tanh", nullptr, create_activation},
    {"transpose2", nullptr, create_transpose},
    {"unsqueeze2", nullptr, create_reshape},
};

}  // namespace

std::span<const KernelEntry> generic_set() { return kEntries; }

}  // namespace edgeocr::kernels
