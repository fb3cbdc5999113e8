// The x86 kernel set. An entry takes a node only if everything its kernel relies on holds; generic takes the rest.
#include <vector>

#include "kernels/floating/depthwise.h"
#include "kernels/int8/operators.h"
#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/x86.h"

namespace edgeocr::kernels {

std::span<const KernelEntry> x86_set() {
  static const std::vector<KernelEntry> entries = {
      {"calib", int8::accepts_calib, int8::create_calib},
      {"conv2d", int8::accepts_conv2d, int8::create_conv2d},
      {"conv2d", int8::accepts_depthwise, int8::create_depthwise},
      {"depthwise_conv2d", int8::accepts_depthwise, int8::create_depthwise},
      {"conv2d_over_upsampled", int8::accepts_conv_over_upsampled, int8::create_conv_over_upsampled},
      {"conv2d", x86::accepts_conv2d_f32, x86::create_conv2d_f32},
      {"conv2d_over_upsampled", x86::accepts_conv2d_over_upsampled_f32, x86::create_conv2d_over_upsampled_f32},
      {"conv2d_transpose", x86::accepts_conv2d_transpose_f32, x86::create_conv2d_transpose_f32},
      {"conv2d_transpose_pair", nullptr, x86::create_conv2d_transpose_pair_f32},
      {"depthwise_conv2d", floating::accepts_depthwise<float>, x86::create_depthwise_f32},
      {"dynamic_fc", int8::accepts_fc, int8::create_fc},
      {"fc", int8::accepts_fc, int8::create_fc},
      {"fc", x86::accepts_fc_f32, x86::create_fc_f32},
      {"matmul", int8::accepts_fc, int8::create_fc},
      {"matmul_v2", int8::accepts_fc, int8::create_fc},
      {"mul", int8::accepts_fc, int8::create_fc},
      {"mul", x86::accepts_fc_f32, x86::create_fc_f32},
      {"rnn", x86::accepts_rnn_f32, x86::create_rnn_f32},
  };
  return entries;
}

}  // namespace edgeocr::kernels
