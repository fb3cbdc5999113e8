// The x86 kernel set. An entry takes a node only if everything its kernel relies on holds; generic takes the rest.
#include <vector>

#include "kernels/x86/convolutions_i8.h"
#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/matrices_i8.h"
#include "kernels/x86/x86.h"

namespace edgeocr::kernels {

std::span<const KernelEntry> x86_set() {
  static const std::vector<KernelEntry> entries = {
      {"calib", x86::accepts_calib_i8, x86::create_calib_i8},
      {"conv2d", x86::accepts_conv2d_i8, x86::create_conv2d_i8},
      {"conv2d", x86::accepts_depthwise_i8, x86::create_depthwise_i8},
      {"depthwise_conv2d", x86::accepts_depthwise_i8, x86::create_depthwise_i8},
      {"conv2d_over_upsampled", x86::accepts_conv_over_upsampled_i8, x86::create_conv_over_upsampled_i8},
      {"conv2d", x86::accepts_conv2d_f32, x86::create_conv2d_f32},
      {"conv2d_over_upsampled", x86::accepts_conv2d_over_upsampled_f32, x86::create_conv2d_over_upsampled_f32},
      {"conv2d_transpose", x86::accepts_conv2d_transpose_f32, x86::create_conv2d_transpose_f32},
      {"conv2d_transpose_pair", nullptr, x86::create_conv2d_transpose_pair_f32},
      {"depthwise_conv2d", x86::accepts_depthwise_f32, x86::create_depthwise_f32},
      {"fc", x86::accepts_fc_i8, x86::create_fc_i8},
      {"fc", x86::accepts_fc_f32, x86::create_fc_f32},
      {"matmul", x86::accepts_fc_i8, x86::create_fc_i8},
      {"matmul_v2", x86::accepts_fc_i8, x86::create_fc_i8},
      {"mul", x86::accepts_fc_i8, x86::create_fc_i8},
      {"mul", x86::accepts_fc_f32, x86::create_fc_f32},
      {"rnn", x86::accepts_rnn_f32, x86::create_rnn_f32},
  };
  return entries;
}

}  // namespace edgeocr::kernels
