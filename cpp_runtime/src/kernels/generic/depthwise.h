// Convolutions with as many groups as channels in and out.
#pragma once

#include <vector>

#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/epilogue.h"

namespace edgeocr::kernels::generic {

class DepthwiseConvolution {
 public:
  // Filter: [C, 1, kh, kw], fp32 or int8 as parameters say.
  DepthwiseConvolution(const ConvParameters& parameters, const graph::Constant& filter, Epilogue epilogue);

  size_t scratch_bytes(const TensorView& out, int threads) const;
  void run(const RunContext& context, const TensorView& in, const TensorView& out) const;

 private:
  template <class T> DepthwiseRow<T> row_of(const TensorView& in, const TensorView& out) const;
  size_t row_bytes(const TensorView& out) const;

  const Loops& loops_;
  ConvParameters parameters_;
  Epilogue epilogue_;
  int64_t lanes_;  // channels as stored
  // [kh * kw][lanes]; int8 weights widened
  std::vector<float> weights_f32_;
  std::vector<int16_t> weights_i8_;
};

}  // namespace edgeocr::kernels::generic
