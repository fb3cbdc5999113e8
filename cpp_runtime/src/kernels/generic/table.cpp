// The plain kernel set: one entry per operator.
#include "kernels/generic/operators.h"

namespace edgeocr::kernels {

namespace {

using namespace generic;

constexpr KernelEntry kEntries[] = {
    {"batch_norm", nullptr, create_batch_norm},
    {"calib", nullptr, create_calib},
    {"calib_once", nullptr, create_calib},
    {"concat", nullptr, create_concat},
    {"conv2d", nullptr, create_conv2d},
    {"conv2d_transpose", nullptr, create_conv2d_transpose},
    {"depthwise_conv2d", nullptr, create_conv2d},
    {"depthwise_conv2d_transpose", nullptr, create_conv2d_transpose},
    {"elementwise_add", nullptr, create_elementwise},
    {"elementwise_div", nullptr, create_elementwise},
    {"elementwise_max", nullptr, create_elementwise},
    {"elementwise_min", nullptr, create_elementwise},
    {"elementwise_mul", nullptr, create_elementwise},
    {"elementwise_sub", nullptr, create_elementwise},
    {"exp", nullptr, create_activation},
    {"fc", nullptr, create_fc},
    {"fill_constant", nullptr, create_fill_constant},
    {"fill_constant_batch_size_like", nullptr, create_fill_constant},
    {"flatten", nullptr, create_reshape},
    {"flatten2", nullptr, create_reshape},
    {"flatten_contiguous_range", nullptr, create_reshape},
    {"fusion_elementwise_add_activation", nullptr, create_elementwise},
    {"fusion_elementwise_div_activation", nullptr, create_elementwise},
    {"fusion_elementwise_mul_activation", nullptr, create_elementwise},
    {"fusion_elementwise_sub_activation", nullptr, create_elementwise},
    {"hard_sigmoid", nullptr, create_activation},
    {"hard_swish", nullptr, create_activation},
    {"io_copy", nullptr, create_reshape},
    {"io_copy_once", nullptr, create_reshape},
    {"leaky_relu", nullptr, create_activation},
    {"matmul", nullptr, create_matmul},
    {"matmul_v2", nullptr, create_matmul},
    {"mul", nullptr, create_fc},
    {"nearest_interp", nullptr, create_interp},
    {"nearest_interp_v2", nullptr, create_interp},
    {"pool2d", nullptr, create_pool2d},
    {"relu", nullptr, create_activation},
    {"relu6", nullptr, create_activation},
    {"reshape", nullptr, create_reshape},
    {"reshape2", nullptr, create_reshape},
    {"rnn", nullptr, create_rnn},
    {"scale", nullptr, create_scale},
    {"shape", nullptr, create_shape},
    {"sigmoid", nullptr, create_activation},
    {"slice", nullptr, create_slice},
    {"softmax", nullptr, create_softmax},
    {"squeeze", nullptr, create_reshape},
    {"squeeze2", nullptr, create_reshape},
    {"swish", nullptr, create_activation},
    {"tanh", nullptr, create_activation},
    {"transpose", nullptr, create_transpose},
    {"transpose2", nullptr, create_transpose},
    {"unsqueeze", nullptr, create_reshape},
    {"unsqueeze2", nullptr, create_reshape},
};

}  // namespace

std::span<const KernelEntry> generic_set() { return kEntries; }

}  // namespace edgeocr::kernels
