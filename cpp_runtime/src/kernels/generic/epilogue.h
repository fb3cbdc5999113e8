// From the sums of convolutions and matrix products to their outputs: bias, scales, activation, rounding.
#pragma once

#include <vector>

#include "base/tensor.h"
#include "kernels/generic/loops.h"

namespace edgeocr::kernels::generic {

class Epilogue {
 public:
  // fp32 sums: act(sum + bias).
  static Epilogue fp32(std::vector<float> bias, const Activation& act);
  // int32 sums to fp32 by requant.h.
  static Epilogue int8_to_fp32(std::vector<float> filter_scale, float input_scale, std::vector<float> bias, const Activation& act);
  // int32 sums as they are.
  static Epilogue sums(int64_t channels);
  // int32 sums to int8 by requant.h; act and bias in real units.
  static Epilogue int8_to_int8(RequantRule rule, std::vector<float> filter_scale, float input_scale, float output_scale,
                               std::vector<float> bias, const Activation& act);

  bool int8_in() const { return int8_in_; }
  DataType output() const { return output_; }
  // Sums of channels [first, first + n) to outputs; first + n may reach padded_columns(channels), channels that do not exist
  // come out zero. sums: int32 or fp32.
  void apply(const Loops& loops, const void* sums, int64_t first, int64_t n, void* out) const;

 private:
  Epilogue(bool int8_in, DataType output, std::vector<float> scale, std::vector<float> bias, const Activation& act);

  bool int8_in_;
  DataType output_;
  std::vector<float> scale_, bias_;
  Activation act_;
};

}  // namespace edgeocr::kernels::generic
