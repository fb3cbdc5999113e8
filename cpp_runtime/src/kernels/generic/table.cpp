// The plain kernel set: one entry per operator.
#include "kernels/generic/fused_tail.h"
#include "kernels/generic/operators.h"

namespace edgeocr::kernels {

namespace {

using namespace generic;

constexpr KernelEntry kEntries[] = {
    {"batch_norm", nullptr, with_tail<create_batch_norm>},
    {"calib", has_no_tail, create_calib},
    {"concat", has_no_tail, create_concat},
    {"conv2d", nullptr, with_tail<create_conv2d>},
    {"conv2d_over_upsampled", nullptr, with_tail<create_conv2d_over_upsampled>},
    {"conv2d_transpose", nullptr, with_tail<create_conv2d_transpose>},
    {"conv2d_transpose_pair", nullptr, create_conv2d_transpose_pair},
    {"depthwise_conv2d", nullptr, with_tail<create_conv2d>},
    {"dynamic_fc", nullptr, with_tail<create_dynamic_fc>},
    {"elementwise_add", nullptr, with_tail<create_elementwise>},
    {"elementwise_div", nullptr, with_tail<create_elementwise>},
    {"elementwise_mul", nullptr, with_tail<create_elementwise>},
    {"elementwise_sub", nullptr, with_tail<create_elementwise>},
    {"fc", nullptr, with_tail<create_fc>},
    {"flatten2", has_no_tail, create_reshape},
    {"flatten_contiguous_range", has_no_tail, create_reshape},
    {"fusion_elementwise_add_activation", nullptr, with_tail<create_elementwise>},
    {"fusion_elementwise_div_activation", nullptr, with_tail<create_elementwise>},
    {"fusion_elementwise_mul_activation", nullptr, with_tail<create_elementwise>},
    {"fusion_elementwise_sub_activation", nullptr, with_tail<create_elementwise>},
    {"greedy_ctc", has_no_tail, create_greedy_ctc},
    {"hard_sigmoid", nullptr, with_tail<create_activation>},
    {"hard_swish", nullptr, with_tail<create_activation>},
    {"leaky_relu", nullptr, with_tail<create_activation>},
    {"matmul", nullptr, with_tail<create_matmul>},
    {"matmul_v2", nullptr, with_tail<create_matmul>},
    {"mul", nullptr, with_tail<create_fc>},
    {"nearest_interp", has_no_tail, create_interp},
    {"nearest_interp_v2", has_no_tail, create_interp},
    {"pool2d", nullptr, with_tail<create_pool2d>},
    {"relu", nullptr, with_tail<create_activation>},
    {"relu6", nullptr, with_tail<create_activation>},
    {"reshape2", has_no_tail, create_reshape},
    {"rnn", has_no_tail, create_rnn},
    {"scale", nullptr, with_tail<create_scale>},
    {"sigmoid", nullptr, with_tail<create_activation>},
    {"slice", has_no_tail, create_slice},
    {"softmax", has_no_tail, create_softmax},
    {"split", has_no_tail, create_split},
    {"squeeze2", has_no_tail, create_reshape},
    {"swish", nullptr, with_tail<create_activation>},
    {"tanh", nullptr, with_tail<create_activation>},
    {"transpose2", has_no_tail, create_transpose},
    {"unsqueeze2", has_no_tail, create_reshape},
};

}  // namespace

std::span<const KernelEntry> generic_set() { return kEntries; }

}  // namespace edgeocr::kernels
