// 3x3 convolutions of step one by Winograd: in fp32 F(4x4, 3x3), 36 products for 16 outputs where the definition has 144; in fp16
// F(2x2, 3x3), 16 for 4, whose transforms lose little. Errors are a few times those of the plain sums, whose order it is not.
#pragma once

#include <vector>

#include "base/tensor.h"
#include "kernels/floating/window.h"
#include "kernels/neon/gemm.h"

namespace edgeocr::kernels::neon {

template <class T> class Winograd {
 public:
  static constexpr int64_t kTile = Vec<T>::kShortSums ? 2 : 4;  // outputs per tile, in both directions

  // lanes: output channels, padded to vectors of eight; form: not plain, without a residual.
  Winograd(const graph::Constant& filter, int64_t lanes, const FloatForm& form);

  // Scratch memory of one worker, to be cleared before its first band.
  size_t scratch_elements(const TensorView& in) const;
  void clear(const TensorView& in, T* scratch) const { window(in).clear(scratch); }

  // `rows` <= kTile rows of outputs from row y on.
  struct Band {
    int64_t batch = 0, y = 0, rows = 0;
    const T* start = nullptr;  // sums begin there instead of with the bias: [rows][width][lanes]; null: they do not
    T* out = nullptr;          // pixel (y, 0), [rows][width][lanes]
  };
  void run(const TensorView& in, const Band& band, const Constants<T>& constants, T* scratch) const;

 private:
  static constexpr int64_t kSize = kTile + 2, kElements = kSize * kSize;  // of a transformed tile

  struct Outputs;
  using OutputFunction = void (*)(const Outputs& outputs);
  template <FloatForm F> static void transform_outputs(const Outputs& outputs);

  floating::Window<T> window(const TensorView& in) const { return {in, kSize, kSize}; }
  void transform_inputs(const TensorView& in, const Band& band, T* patch, T* transformed) const;

  int64_t in_lanes_, lanes_;
  OutputFunction transform_outputs_;
  std::vector<Gemm<T>> gemms_;  // one per element of a transformed tile
};

}  // namespace edgeocr::kernels::neon
