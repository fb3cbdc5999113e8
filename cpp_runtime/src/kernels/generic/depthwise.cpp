#include "kernels/generic/depthwise.h"

#include <utility>

#include "base/aligned.h"

namespace edgeocr::kernels::generic {

namespace {

// [C, 1, kh, kw] → [kh * kw][lanes]
template <class In, class Out> std::vector<Out> taps_outermost(std::span<const In> filter, int64_t channels, int64_t taps, int64_t lanes) {
  std::vector<Out> weights(static_cast<size_t>(taps * lanes));
  for (int64_t c = 0; c < channels; c++)
    for (int64_t t = 0; t < taps; t++) weights[static_cast<size_t>(t * lanes + c)] = filter[static_cast<size_t>(c * taps + t)];
  return weights;
}

}  // namespace

DepthwiseConvolution::DepthwiseConvolution(const ConvParameters& parameters, const graph::Constant& filter, Epilogue epilogue)
    : loops_(current_loops()), parameters_(parameters), epilogue_(std::move(epilogue)),
      lanes_(pixel_stride_of(parameters.geometry.in_channels)) {
  const ConvGeometry& g = parameters.geometry;
  const int64_t taps = g.kernel_h * g.kernel_w;
  if (parameters.int8_in) {
    weights_i8_ = taps_outermost<int8_t, int16_t>(filter.as<int8_t>(), g.in_channels, taps, lanes_);
  } else {
    weights_f32_ = taps_outermost<float, float>(filter.as<float>(), g.in_channels, taps, lanes_);
  }
}

size_t DepthwiseConvolution::row_bytes(const TensorView& out) const {
  return align_up(static_cast<size_t>(out.shape[3] * lanes_) * sizeof(float));
}

size_t DepthwiseConvolution::scratch_bytes(const TensorView& out, int threads) const {
  return static_cast<size_t>(threads) * row_bytes(out);
}

template <class T> DepthwiseRow<T> DepthwiseConvolution::row_of(const TensorView& in, const TensorView& out) const {
  const ConvGeometry& g = parameters_.geometry;
  return {.in = in.as<const T>(),
          .in_h = in.shape[2],
          .in_w = in.shape[3],
          .kernel_h = g.kernel_h,
          .kernel_w = g.kernel_w,
          .dilation_h = g.dilation_h,
          .dilation_w = g.dilation_w,
          .stride_w = g.stride_w,
          .top = -parameters_.pad_top(in.shape[2]),
          .left = -parameters_.pad_left(in.shape[3]),
          .channels = lanes_,
          .out_w = out.shape[3]};
}

void DepthwiseConvolution::run(const RunContext& context, const TensorView& in, const TensorView& out) const {
  const int64_t out_h = out.shape[2], out_w = out.shape[3];
  const size_t worker_bytes = row_bytes(out), out_bytes = size_of(out.dtype);
  const auto rows = [&](const auto& first_row, const auto& sums_of) {
    parallel(context, out.shape[0] * out_h, 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* sums = context.scratch + static_cast<size_t>(worker) * worker_bytes;
      for (int64_t index = begin; index < end; index++) {
        auto row = first_row;
        row.in += index / out_h * in.batch_stride;
        row.top += index % out_h * parameters_.geometry.stride_h;
        sums_of(row, sums);
        for (int64_t x = 0; x < out_w; x++) {
          epilogue_.apply(loops_, sums + static_cast<size_t>(x * lanes_) * sizeof(float), 0, lanes_,
                          out.as<std::byte>() + static_cast<size_t>((index * out_w + x) * lanes_) * out_bytes);
        }
      }
    });
  };
  if (parameters_.int8_in) {
    rows(row_of<int8_t>(in, out), [&](const DepthwiseRow<int8_t>& row, std::byte* sums) {
      loops_.depthwise_i8(row, weights_i8_.data(), reinterpret_cast<int32_t*>(sums));
    });
  } else {
    rows(row_of<float>(in, out), [&](const DepthwiseRow<float>& row, std::byte* sums) {
      loops_.depthwise_f32(row, weights_f32_.data(), reinterpret_cast<float*>(sums));
    });
  }
}

}  // namespace edgeocr::kernels::generic
