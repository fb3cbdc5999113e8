// From the sums of convolutions and matrix products to their outputs: bias, scales, activation, rounding.
#pragma once

#include <vector>

#include "base/tensor.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/requantisation.h"

namespace edgeocr::kernels::generic {

class Epilogue {
 public:
  // fp32 sums: act(sum + bias).
  static Epilogue fp32(std::vector<float> bias, const Activation& act);
  // int32 sums to fp32 or int8 by requant.h.
  static Epilogue int8(Requantisation requantisation);
  // int32 sums as they are.
  static Epilogue sums(int64_t channels);

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

// Bias, scales and fused activation of a convolution.
Epilogue conv_epilogue(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters);

}  // namespace edgeocr::kernels::generic
