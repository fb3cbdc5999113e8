// 3x3 convolutions of step one by Winograd's F(4x4, 3x3): 36 products for 16 outputs where the definition has 144. Errors are a few
// times those of the plain sums, whose order it is not.
#pragma once

#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "kernels/floating/window.h"
#include "kernels/x86/gemm_f32.h"

namespace edgeocr::kernels::x86 {

class WinogradF32 {
 public:
  static constexpr int64_t kTile = 4;  // outputs per tile, in both directions

  // lanes: output channels, padded to vectors of eight; form: without a residual.
  WinogradF32(const graph::Constant& filter, int64_t lanes, const FormF32& form);

  // Scratch memory of one worker, to be cleared before its first band.
  size_t scratch_elements(const TensorView& in) const;
  void clear(const TensorView& in, float* scratch) const { window(in).clear(scratch); }

  // `rows` <= kTile rows of outputs from row y on.
  struct Band {
    int64_t batch = 0, y = 0, rows = 0;
    const float* start = nullptr;  // added to the sums: [rows][width][lanes]; null: nothing
    float* out = nullptr;          // pixel (y, 0), [rows][width][lanes]
  };
  void run(const TensorView& in, const Band& band, const ConstantsF32& constants, float* scratch) const;

 private:
  floating::Window<float> window(const TensorView& in) const { return {in, 6, 6}; }
  void transform_inputs(const TensorView& in, const Band& band, float* patch, float* transformed) const;
  void transform_outputs(const float* products, int64_t width, const Band& band, const ConstantsF32& constants) const;

  const InnerLoops& loops_;
  int64_t in_lanes_, lanes_;
  FormF32 form_;
  std::vector<float> zeros_;    // the bias of the products
  std::vector<GemmF32> gemms_;  // one per element of a transformed tile
};

}  // namespace edgeocr::kernels::x86
