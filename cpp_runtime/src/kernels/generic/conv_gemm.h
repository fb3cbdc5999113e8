// Convolutions, plain and transposed, as matrix products over packed weights.
//
// The pixels that an output needs are gathered into rows of a panel, k in the order (ky, kx, channel); a 1x1 convolution reads
// the map itself. A transposed convolution is one convolution of stride 1 per phase: outputs whose coordinates are equal
// modulo the stride are reached by the same taps.
#pragma once

#include <functional>
#include <vector>

#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/epilogue.h"
#include "kernels/generic/packing.h"

namespace edgeocr::kernels::generic {

// (group, out channel in the group, in channel in the group, ky, kx) → element of the filter
using ConvWeight = std::function<float(int64_t, int64_t, int64_t, int64_t, int64_t)>;

struct Tap {
  int64_t ky, kx;  // of the filter
  int64_t dy, dx;  // input pixel relative to the phase's own pixel
};

class GemmConvolution {
 public:
  // Outputs (out_y + i * out_step_h, out_x + j * out_step_w) read pixels (i * in_step_h + dy, j * in_step_w + dx).
  struct Phase {
    int64_t out_y = 0, out_x = 0;
    std::vector<Tap> taps;
  };
  struct Steps {
    int64_t out_h = 1, out_w = 1, in_h = 1, in_w = 1;
  };
  // weight: fp32 or int8 values, as parameters say.
  GemmConvolution(const ConvParameters& parameters, const Steps& steps, std::vector<Phase> phases, Epilogue epilogue,
                  const ConvWeight& weight);

  size_t scratch_bytes(int threads) const;
  // shift: added to every dy, dx (minus the top and left pads).
  void run(const RunContext& context, const TensorView& in, const TensorView& out, int64_t shift_y, int64_t shift_x) const;

 private:
  // Taps that read neighbouring pixels of one row.
  struct Segment {
    int64_t dy, dx, taps;
  };
  struct PackedPhase {
    int64_t out_y, out_x;
    std::vector<Segment> segments;
    std::vector<PackedWeights> groups;
  };
  struct Run;  // one phase of one run

  void gather(const Run& run, int64_t group, int64_t first, int64_t count, std::byte* panel) const;
  void copy_channels(const Run& run, const std::byte* source, int64_t count, std::byte*& target) const;
  const std::byte* rows_of(const Run& run, int64_t group, int64_t first, int64_t count, std::byte* panel, ptrdiff_t& stride) const;
  void run_phase(const RunContext& context, const Run& run) const;

  const Loops& loops_;
  ConvParameters parameters_;
  Steps steps_;
  Epilogue epilogue_;
  std::vector<PackedPhase> phases_;
  bool widen_ = false;        // int8 pixels become int16 on their way into the panel
  size_t element_bytes_ = 0;  // of the panel
  int64_t tap_channels_ = 0;  // channels gathered per tap
  int64_t row_elements_ = 0;  // of a panel row
  int64_t sum_columns_ = 0;   // of a row of sums
  int64_t panel_pixels_ = 0;
};

}  // namespace edgeocr::kernels::generic
