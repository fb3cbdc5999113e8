// conv2d_over_upsampled (graph/passes/over_upsampled.h): the sum of 3x3 convolutions over nearest-upsampled maps, none of which is
// ever made.
//
// A tap of the filter reads pixel (y + dy) / factor, (x + dx) / factor of a source, so every product belongs to a source pixel:
// a row of a source times the nine taps' weights is one matrix product with nine sums per source pixel and output channel, and an
// output adds one of them per tap. Three rows of such products per source are kept in a ring. int8 sums are exact in any order.
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/precision.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/epilogue.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/packing.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

constexpr int64_t kTaps = 9, kRing = 3;

struct Source {
  size_t input;
  int64_t factor, channels;
  PackedWeights weights;  // columns: [tap][output channel, padded]
};

// to += a, or a + b + c in this order.
template <class Sum> void add(const Sum* __restrict a, int64_t n, Sum* __restrict to) {
  for (int64_t i = 0; i < n; i++) to[i] += a[i];
}
template <class Sum> void add(const Sum* __restrict a, const Sum* __restrict b, const Sum* __restrict c, int64_t n, Sum* __restrict to) {
  for (int64_t i = 0; i < n; i++) to[i] = to[i] + a[i] + b[i] + c[i];
}

ConvParameters parameters_of(const graph::Node& node, const graph::Graph& graph) {
  const bool int8 = node.precision == graph::kInt8Precision;
  return {.geometry = over_upsampled_geometry(constant_input(node, graph, "Filter").shape),
          .int8_in = int8,
          .int8_out = int8 && node.alias == "int8_out"};
}

class Conv2dOverUpsampled : public Kernel {
 public:
  Conv2dOverUpsampled(const graph::Node& node, const graph::Graph& graph)
      : loops_(current_loops()), parameters_(parameters_of(node, graph)), epilogue_(conv_epilogue(node, graph, parameters_)),
        columns_(padded_columns(parameters_.geometry.out_channels)), widen_(parameters_.int8_in && loops_.group_i8 != 4) {
    const std::vector<int64_t> factors = node.attr_ints("factors");
    for (size_t i = 0; i < factors.size(); i++) {
      const auto index = static_cast<int>(i);
      const graph::Constant& filter = constant_input(node, graph, "Filter", index);
      check_filter(node, filter);
      sources_.push_back({input_index(node, "X", index), factors[i], filter.shape[1], packed(filter)});
    }
  }

  std::string_view name() const override {
    return parameters_.int8_in ? "generic.conv2d_over_upsampled.int8" : "generic.conv2d_over_upsampled.fp32";
  }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs, outputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    check(inputs, outputs[0]);
    if (parameters_.int8_in) run_rows<int32_t>(context, inputs, outputs[0]);
    else run_rows<float>(context, inputs, outputs[0]);
  }

 private:
  // A worker's memory: the rows that the ring holds, then per source the ring, a panel of input pixels, a row of sums.
  size_t tags_bytes() const { return align_up(sources_.size() * kRing * sizeof(int64_t)); }
  size_t ring_row_bytes(const TensorView& in) const {
    return align_up(static_cast<size_t>(in.shape[3] * kTaps * columns_) * sizeof(float));
  }
  size_t panel_bytes(const Source& source, const TensorView& in) const {
    const size_t element = !parameters_.int8_in ? sizeof(float) : widen_ ? sizeof(int16_t) : sizeof(int8_t);
    return align_up(static_cast<size_t>(in.shape[3] * source.weights.rows()) * element);
  }
  size_t sums_bytes(const TensorView& out) const { return align_up(static_cast<size_t>(out.shape[3] * columns_) * sizeof(float)); }
  size_t worker_bytes(std::span<const TensorView> inputs, const TensorView& out) const {
    size_t rings = 0, panel = 0;
    for (const Source& source : sources_) {
      rings += kRing * ring_row_bytes(inputs[source.input]);
      panel = std::max(panel, panel_bytes(source, inputs[source.input]));
    }
    return tags_bytes() + rings + panel + sums_bytes(out);
  }

  void check_filter(const graph::Node& node, const graph::Constant& filter) const {
    const DataType expected = parameters_.int8_in ? DataType::i8 : DataType::f32;
    const Shape& s = filter.shape;
    if (filter.dtype != expected || s.rank() != 4 || s[0] != parameters_.geometry.out_channels || s[2] != 3 || s[3] != 3)
      fail("%s: Filter is %s %s, expected %s %lldxCx3x3", node.label().c_str(), name_of(filter.dtype), s.str().c_str(), name_of(expected),
           static_cast<long long>(parameters_.geometry.out_channels));
  }

  void check(std::span<const TensorView> inputs, const TensorView& out) const {
    expect_dtype(name(), "output", out, epilogue_.output());
    for (const Source& source : sources_) {
      const TensorView& in = inputs[source.input];
      expect_dtype(name(), "input", in, parameters_.int8_in ? DataType::i8 : DataType::f32);
      const bool fits = in.shape[0] == out.shape[0] && in.shape[1] == source.channels && in.shape[2] * source.factor == out.shape[2] &&
                        in.shape[3] * source.factor == out.shape[3];
      if (!fits || out.shape[1] != parameters_.geometry.out_channels)
        fail("conv2d_over_upsampled: %s enlarged %lld times to %s, expected %lld to %lld channels", in.shape.str().c_str(),
             static_cast<long long>(source.factor), out.shape.str().c_str(), static_cast<long long>(source.channels),
             static_cast<long long>(parameters_.geometry.out_channels));
    }
  }

  PackedWeights packed(const graph::Constant& filter) const {
    const int64_t channels = filter.shape[1], filters = filter.shape[0], k = pixel_stride_of(channels);
    const auto weight = [&](int64_t row, int64_t column) {
      const int64_t tap = column / columns_, out = column % columns_;
      if (row >= channels || out >= filters) return 0.0f;
      const auto at = static_cast<size_t>((out * channels + row) * kTaps + tap);
      return parameters_.int8_in ? static_cast<float>(filter.as<int8_t>()[at]) : filter.as<float>()[at];
    };
    return parameters_.int8_in ? PackedWeights::i8(loops_, k, kTaps * columns_, weight) : PackedWeights::f32(k, kTaps * columns_, weight);
  }

  // Pixels of a source's row as rows of a matrix of weights.rows() columns.
  const void* rows_of(const Source& source, const TensorView& in, int64_t row, std::byte* panel) const {
    const int64_t offset = row / in.shape[2] * in.batch_stride + row % in.shape[2] * in.row_stride;
    const int64_t k = source.weights.rows(), lanes = in.pixel_stride;
    const std::byte* pixels = in.as<const std::byte>() + static_cast<size_t>(offset) * size_of(in.dtype);
    if (!widen_ && lanes == k) return pixels;
    const size_t element = widen_ ? sizeof(int16_t) : size_of(in.dtype);
    std::memset(panel, 0, panel_bytes(source, in));
    for (int64_t x = 0; x < in.shape[3]; x++) {
      const std::byte* from = pixels + static_cast<size_t>(x * lanes) * size_of(in.dtype);
      std::byte* to = panel + static_cast<size_t>(x * k) * element;
      if (widen_) loops_.widen(reinterpret_cast<const int8_t*>(from), lanes, reinterpret_cast<int16_t*>(to));
      else std::memcpy(to, from, static_cast<size_t>(lanes) * element);
    }
    return panel;
  }

  template <class Sum> void multiply(const Source& source, const TensorView& in, int64_t row, std::byte* panel, Sum* products) const {
    const void* pixels = rows_of(source, in, row, panel);
    const int64_t k = source.weights.rows(), n = source.weights.columns();
    if constexpr (std::is_same_v<Sum, float>) {
      loops_.gemm_f32(static_cast<const float*>(pixels), k, in.shape[3], static_cast<const float*>(source.weights.data()), k, n, products,
                      n);
    } else {
      loops_.gemm_i8(pixels, k, in.shape[3], source.weights.data(), k, n, products, n);
    }
  }

  // One worker's view of its scratch memory.
  template <class Sum> struct Ring {
    int64_t* tags;  // per slot: the row of the source, counted over the batch; -1: none
    Sum* rows;
    size_t row_elements;
  };

  // The products of a source's row, computed if the ring lacks them.
  template <class Sum>
  const Sum* products(const Source& source, const TensorView& in, int64_t row, const Ring<Sum>& ring, std::byte* panel) const {
    const int64_t slot = row % kRing;
    Sum* products = ring.rows + static_cast<size_t>(slot) * ring.row_elements;
    if (ring.tags[slot] != row) multiply(source, in, row, panel, products);
    ring.tags[slot] = row;
    return products;
  }

  // Adds the products that the three taps of one filter row give to a row of outputs.
  template <class Sum> void add_taps(const Sum* products, int64_t filter_row, int64_t factor, int64_t width, Sum* sums) const {
    const auto tap = [&](int64_t x, int64_t column) {
      return products + ((x + column - 1) / factor * kTaps + filter_row * 3 + column) * columns_;
    };
    for (int64_t x = 1; x + 1 < width; x++) add(tap(x, 0), tap(x, 1), tap(x, 2), columns_, sums + x * columns_);
    for (int64_t column = 1; column < 3 && column <= width; column++) add(tap(0, column), columns_, sums);
    if (width == 1) return;
    for (int64_t column = 0; column < 2; column++) add(tap(width - 1, column), columns_, sums + (width - 1) * columns_);
  }

  template <class Sum> void run_rows(const RunContext& context, std::span<const TensorView> inputs, const TensorView& out) const {
    const int64_t height = out.shape[2], width = out.shape[3];
    parallel(context, out.shape[0] * height, 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* memory = context.scratch + static_cast<size_t>(worker) * worker_bytes(inputs, out);
      auto* tags = reinterpret_cast<int64_t*>(memory);
      std::fill_n(tags, sources_.size() * kRing, -1);
      std::byte* rings = memory + tags_bytes();
      std::byte* sums_at = memory + worker_bytes(inputs, out) - sums_bytes(out);
      auto* sums = reinterpret_cast<Sum*>(sums_at);
      for (int64_t line = begin; line < end; line++) {
        const int64_t batch = line / height, y = line % height;
        std::memset(sums, 0, sums_bytes(out));
        std::byte* ring_at = rings;
        for (size_t i = 0; i < sources_.size(); i++) {
          const Source& source = sources_[i];
          const TensorView& in = inputs[source.input];
          const size_t row_bytes = ring_row_bytes(in);
          const Ring<Sum> ring{tags + i * kRing, reinterpret_cast<Sum*>(ring_at), row_bytes / sizeof(Sum)};
          std::byte* panel = sums_at - panel_bytes(source, in);
          for (int64_t filter_row = 0; filter_row < 3; filter_row++) {
            const int64_t from = y + filter_row - 1;
            if (from < 0 || from >= height) continue;
            add_taps(products(source, in, batch * in.shape[2] + from / source.factor, ring, panel), filter_row, source.factor, width, sums);
          }
          ring_at += kRing * row_bytes;
        }
        for (int64_t x = 0; x < width; x++)
          epilogue_.apply(loops_, sums + x * columns_, 0, out.pixel_stride,
                          out.as<std::byte>() + static_cast<size_t>((line * width + x) * out.pixel_stride) * size_of(out.dtype));
      }
    });
  }

  const Loops& loops_;
  ConvParameters parameters_;
  Epilogue epilogue_;
  int64_t columns_;  // output channels, padded
  bool widen_;
  std::vector<Source> sources_;
};

}  // namespace

std::unique_ptr<Kernel> create_conv2d_over_upsampled(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Conv2dOverUpsampled>(node, graph);
}

}  // namespace edgeocr::kernels::generic
