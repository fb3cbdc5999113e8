#include "kernels/generic/conv_gemm.h"

#include <cstring>
#include <utility>

namespace edgeocr::kernels::generic {

namespace {

// A panel and its sums should stay in the L1 cache; pixels in multiples of the register tiles.
constexpr int64_t kPanelBytes = 48 << 10, kTilePixels = 6, kMostTiles = 16;

int64_t choose_panel_pixels(int64_t bytes_per_pixel) {
  return std::clamp<int64_t>(kPanelBytes / bytes_per_pixel / kTilePixels, 1, kMostTiles) * kTilePixels;
}

}  // namespace

struct GemmConvolution::Run {
  const PackedPhase& phase;
  const TensorView& in;
  const TensorView& out;
  int64_t shift_y, shift_x;
  int64_t grid_h, grid_w;  // outputs of the phase
  bool direct;             // one tap, every pixel in turn
  const std::byte* pixels() const { return in.as<const std::byte>(); }
};

GemmConvolution::GemmConvolution(const ConvParameters& parameters, const Steps& steps, std::vector<Phase> phases, Epilogue epilogue,
                                 const ConvWeight& weight)
    : loops_(current_loops()), parameters_(parameters), steps_(steps), epilogue_(std::move(epilogue)) {
  const ConvGeometry& g = parameters.geometry;
  widen_ = parameters.int8_in && loops_.group_i8 != 4;
  element_bytes_ = !parameters.int8_in ? sizeof(float) : widen_ ? sizeof(int16_t) : sizeof(int8_t);
  tap_channels_ = g.groups == 1 ? pixel_stride_of(g.in_channels) : parameters.group_in();
  const int64_t group_in = parameters.group_in(), group_out = parameters.group_out();
  for (const Phase& phase : phases) {
    PackedPhase packed{phase.out_y, phase.out_x, {}, {}};
    for (const Tap& tap : phase.taps) {
      Segment* last = packed.segments.empty() ? nullptr : &packed.segments.back();
      if (last != nullptr && last->dy == tap.dy && last->dx + last->taps == tap.dx) {
        last->taps++;
      } else {
        packed.segments.push_back({tap.dy, tap.dx, 1});
      }
    }
    const int64_t k = static_cast<int64_t>(phase.taps.size()) * tap_channels_;
    for (int64_t group = 0; group < g.groups; group++) {
      const auto at = [&](int64_t row, int64_t column) {
        const Tap& tap = phase.taps[static_cast<size_t>(row / tap_channels_)];
        const int64_t channel = row % tap_channels_;
        return channel < group_in ? weight(group, column, channel, tap.ky, tap.kx) : 0.0f;
      };
      packed.groups.push_back(parameters.int8_in ? PackedWeights::i8(loops_, k, group_out, at) : PackedWeights::f32(k, group_out, at));
    }
    row_elements_ = std::max(row_elements_, packed.groups[0].rows());
    phases_.push_back(std::move(packed));
  }
  // The last group writes whole vectors, beyond the channels.
  sum_columns_ = (g.groups - 1) * group_out + padded_columns(group_out);
  sum_columns_ = std::max(sum_columns_, padded_columns(g.out_channels));
  panel_pixels_ = choose_panel_pixels(row_elements_ * static_cast<int64_t>(element_bytes_) + sum_columns_ * 4);
}

size_t GemmConvolution::scratch_bytes(int threads) const {
  const size_t panel = align_up(static_cast<size_t>(panel_pixels_ * row_elements_) * element_bytes_);
  const size_t sums = align_up(static_cast<size_t>(panel_pixels_ * sum_columns_) * sizeof(float));
  return static_cast<size_t>(threads) * (panel + sums);
}

void GemmConvolution::copy_channels(const Run& run, const std::byte* source, int64_t count, std::byte*& target) const {
  if (widen_) {
    loops_.widen(reinterpret_cast<const int8_t*>(source), count, reinterpret_cast<int16_t*>(target));
  } else {
    std::memcpy(target, source, static_cast<size_t>(count) * size_of(run.in.dtype));
  }
  target += static_cast<size_t>(count) * element_bytes_;
}

// Rows of `count` consecutive outputs of the phase from `first` on; pixels outside the map are zero.
void GemmConvolution::gather(const Run& run, int64_t group, int64_t first, int64_t count, std::byte* panel) const {
  const TensorView& in = run.in;
  const int64_t in_h = in.shape[2], in_w = in.shape[3];
  const auto in_bytes = static_cast<int64_t>(size_of(in.dtype));
  const auto zeros = [&](int64_t taps, std::byte*& target) {
    const size_t bytes = static_cast<size_t>(taps * tap_channels_) * element_bytes_;
    std::memset(target, 0, bytes);
    target += bytes;
  };
  const std::byte* channels = run.pixels() + group * parameters_.group_in() * in_bytes;
  for (int64_t i = 0; i < count; i++) {
    const int64_t index = first + i, grid = run.grid_h * run.grid_w;
    const int64_t y = index / run.grid_w % run.grid_h * steps_.in_h + run.shift_y, x = index % run.grid_w * steps_.in_w + run.shift_x;
    const std::byte* batch = channels + index / grid * in.batch_stride * in_bytes;
    std::byte* target = panel + static_cast<size_t>(i * row_elements_) * element_bytes_;
    std::byte* end = target + static_cast<size_t>(row_elements_) * element_bytes_;
    for (const Segment& segment : run.phase.segments) {
      const int64_t row = y + segment.dy, left = x + segment.dx;
      const int64_t begin = row < 0 || row >= in_h ? segment.taps : std::clamp<int64_t>(-left, 0, segment.taps);
      const int64_t stop = std::max(begin, std::clamp<int64_t>(in_w - left, 0, segment.taps));
      zeros(begin, target);
      const std::byte* source = batch + (row * in.row_stride + (left + begin) * in.pixel_stride) * in_bytes;
      if (in.pixel_stride == tap_channels_) {
        if (stop > begin) copy_channels(run, source, (stop - begin) * tap_channels_, target);
      } else {
        for (int64_t tap = begin; tap < stop; tap++, source += in.pixel_stride * in_bytes)
          copy_channels(run, source, tap_channels_, target);
      }
      zeros(segment.taps - stop, target);
    }
    std::memset(target, 0, static_cast<size_t>(end - target));
  }
}

// Where the gemm finds the rows of these outputs, and their stride in elements.
const std::byte* GemmConvolution::rows_of(const Run& run, int64_t group, int64_t first, int64_t count, std::byte* panel,
                                          ptrdiff_t& stride) const {
  if (!run.direct) {
    gather(run, group, first, count, panel);
    stride = row_elements_;
    return panel;
  }
  const std::byte* pixels = run.pixels() + static_cast<size_t>(first * run.in.pixel_stride) * size_of(run.in.dtype);
  stride = run.in.pixel_stride;
  if (!widen_) return pixels;
  loops_.widen(reinterpret_cast<const int8_t*>(pixels), count * run.in.pixel_stride, reinterpret_cast<int16_t*>(panel));
  return panel;
}

void GemmConvolution::run_phase(const RunContext& context, const Run& run) const {
  const ConvGeometry& g = parameters_.geometry;
  const size_t panel_bytes = align_up(static_cast<size_t>(panel_pixels_ * row_elements_) * element_bytes_);
  const size_t worker_bytes = scratch_bytes(1), out_bytes = size_of(run.out.dtype);
  const bool whole = steps_.out_h == 1 && steps_.out_w == 1;
  const auto out_offset = [&](int64_t index) {
    if (whole) return index * run.out.pixel_stride;
    const int64_t y = index / run.grid_w % run.grid_h * steps_.out_h + run.phase.out_y,
                  x = index % run.grid_w * steps_.out_w + run.phase.out_x;
    return index / (run.grid_h * run.grid_w) * run.out.batch_stride + y * run.out.row_stride + x * run.out.pixel_stride;
  };
  parallel(context, run.out.shape[0] * run.grid_h * run.grid_w, panel_pixels_, [&](int64_t begin, int64_t end, int worker) {
    std::byte* panel = context.scratch + static_cast<size_t>(worker) * worker_bytes;
    auto* sums = reinterpret_cast<float*>(panel + panel_bytes);  // or int32_t: same size
    // Groups write their columns side by side and may leave the last lanes of a pixel alone.
    if (g.groups > 1) std::memset(sums, 0, static_cast<size_t>(panel_pixels_ * sum_columns_) * sizeof(float));
    for (int64_t first = begin; first < end; first += panel_pixels_) {
      const int64_t count = std::min(panel_pixels_, end - first);
      for (int64_t group = 0; group < g.groups; group++) {
        const PackedWeights& weights = run.phase.groups[static_cast<size_t>(group)];
        ptrdiff_t stride = 0;
        const std::byte* rows = rows_of(run, group, first, count, panel, stride);
        float* group_sums = sums + group * parameters_.group_out();
        if (parameters_.int8_in) {
          loops_.gemm_i8(rows, stride, count, weights.data(), weights.rows(), weights.columns(), reinterpret_cast<int32_t*>(group_sums),
                         sum_columns_);
        } else {
          loops_.gemm_f32(reinterpret_cast<const float*>(rows), stride, count, static_cast<const float*>(weights.data()), weights.rows(),
                          weights.columns(), group_sums, sum_columns_);
        }
      }
      for (int64_t i = 0; i < count; i++)
        epilogue_.apply(loops_, sums + i * sum_columns_, 0, run.out.pixel_stride,
                        run.out.as<std::byte>() + static_cast<size_t>(out_offset(first + i)) * out_bytes);
    }
  });
}

void GemmConvolution::run(const RunContext& context, const TensorView& in, const TensorView& out, int64_t shift_y, int64_t shift_x) const {
  for (const PackedPhase& phase : phases_) {
    Run run{phase, in, out, shift_y, shift_x, 0, 0, false};
    run.grid_h = std::max<int64_t>(0, out.shape[2] - phase.out_y + steps_.out_h - 1) / steps_.out_h;
    run.grid_w = std::max<int64_t>(0, out.shape[3] - phase.out_x + steps_.out_w - 1) / steps_.out_w;
    const bool one_tap = phase.segments.size() == 1 && phase.segments[0].taps == 1 && phase.segments[0].dy + shift_y == 0 &&
                         phase.segments[0].dx + shift_x == 0;
    const bool same_grid = steps_.in_h == 1 && steps_.in_w == 1 && run.grid_h == in.shape[2] && run.grid_w == in.shape[3];
    run.direct = one_tap && same_grid && parameters_.geometry.groups == 1 && phase.groups[0].rows() == tap_channels_;
    run_phase(context, run);
  }
}

}  // namespace edgeocr::kernels::generic
