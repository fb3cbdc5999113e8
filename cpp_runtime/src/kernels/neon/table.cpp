// The NEON kernel set. An entry takes a node only if everything its kernel relies on holds; generic takes the rest.
#include "kernels/neon/neon.h"

#include <vector>

#include "kernels/floating/depthwise.h"
#include "kernels/int8/operators.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/scores_f32.h"
#include "kernels/simd/vector.h"

namespace edgeocr::kernels {

std::span<const KernelEntry> neon_set() {
  static const std::vector<KernelEntry> entries = {
      {"calib", int8::accepts_calib, int8::create_calib},
      {"conv2d", int8::accepts_conv2d, int8::create_conv2d},
      {"conv2d", int8::accepts_depthwise, int8::create_depthwise},
      {"depthwise_conv2d", int8::accepts_depthwise, int8::create_depthwise},
      {"conv2d_over_upsampled", int8::accepts_conv_over_upsampled, int8::create_conv_over_upsampled},
      {"conv2d", neon::accepts_conv2d<float>, neon::create_conv2d<float>},
      {"conv2d_over_upsampled", neon::accepts_conv2d_over_upsampled<float>, neon::create_conv2d_over_upsampled<float>},
      {"conv2d_transpose", neon::accepts_conv2d_transpose<float>, neon::create_conv2d_transpose<float>},
      {"conv2d_transpose_pair", nullptr, neon::create_conv2d_transpose_pair_f32},
      {"depthwise_conv2d", floating::accepts_depthwise<float>, neon::create_depthwise<float>},
      {"elementwise_add", neon::accepts_elementwise<float>, neon::create_elementwise<float>},
      {"elementwise_mul", neon::accepts_elementwise<float>, neon::create_elementwise<float>},
      {"dynamic_fc", int8::accepts_fc, int8::create_fc},
      {"fc", int8::accepts_fc, int8::create_fc},
      {"fc", neon::accepts_fc<float>, neon::create_fc<float>},
      {"matmul", int8::accepts_fc, int8::create_fc},
      {"matmul_v2", int8::accepts_fc, int8::create_fc},
      {"mul", int8::accepts_fc, int8::create_fc},
      {"mul", neon::accepts_fc<float>, neon::create_fc<float>},
      {"greedy_ctc", neon::accepts_greedy_ctc, neon::create_greedy_ctc},
      {"pool2d", neon::accepts_pool2d<float>, neon::create_pool2d<float>},
      {"rnn", neon::accepts_rnn<float>, neon::create_rnn<float>},
      {"softmax", neon::accepts_softmax, neon::create_softmax},
  };
  return entries;
}

std::span<const KernelEntry> neon_fp16_set() {
  static const std::vector<KernelEntry> entries = {
      {"calib", neon::accepts_calib_f16, neon::create_calib_f16},
      {"conv2d", neon::accepts_conv2d<Half>, neon::create_conv2d<Half>},
      {"conv2d_over_upsampled", neon::accepts_conv2d_over_upsampled<Half>, neon::create_conv2d_over_upsampled<Half>},
      {"conv2d_transpose", neon::accepts_conv2d_transpose<Half>, neon::create_conv2d_transpose<Half>},
      {"conv2d_transpose_pair", neon::accepts_conv2d_transpose_pair_f16, neon::create_conv2d_transpose_pair_f16},
      {"depthwise_conv2d", floating::accepts_depthwise<Half>, neon::create_depthwise<Half>},
      {"elementwise_add", neon::accepts_elementwise<Half>, neon::create_elementwise<Half>},
      {"elementwise_mul", neon::accepts_elementwise<Half>, neon::create_elementwise<Half>},
      {"fc", neon::accepts_fc<Half>, neon::create_fc<Half>},
      {"mul", neon::accepts_fc<Half>, neon::create_fc<Half>},
      {"pool2d", neon::accepts_pool2d<Half>, neon::create_pool2d<Half>},
      {"rnn", neon::accepts_rnn<Half>, neon::create_rnn<Half>},
  };
  return entries;
}

}  // namespace edgeocr::kernels
