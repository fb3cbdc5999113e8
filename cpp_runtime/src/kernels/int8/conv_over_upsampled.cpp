// conv2d_over_upsampled in int8: a 3x3 convolution over one map of full size and up to three nearest-upsampled ones, which are
// never made.
//
// Convolutions are linear, and a tap of the filter reads the same source pixel for many outputs. So a row of a low source times
// the weights of all nine taps is one matrix product (9 sums per pixel and channel); for a row of outputs, the products of the
// source rows that the three filter rows meet are added, then those of the columns, once for each place an output can have in a
// source pixel's block (left edge, inside, right edge). A source's places take in those of the next coarser one, so that what an output
// takes from all low sources is one sum, and that is where the sums of the 3x3 convolution over the full-size map begin. int32 sums are
// exact in any order.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/precision.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/int8/conv_finish.h"
#include "kernels/int8/gemm.h"
#include "kernels/int8/kernel_set.h"
#include "kernels/int8/operators.h"
#include "kernels/line_ring.h"

namespace edgeocr::kernels::int8 {

namespace {

using generic::ConvParameters;

constexpr int64_t kTaps = 9, kRing = 2;  // three neighbouring output rows lie in at most two rows of a low source
constexpr size_t kMostLow = 3;

constexpr int64_t kRowOutside = -1, kNeverComputed = -2;

struct LowSource {
  size_t input;
  int64_t channels;
  int shift;                      // of output coordinates to the source's
  Gemm products;                  // [tap][output lane]
  std::vector<int32_t> starts{};  // of the products' sums
  int64_t factor() const { return int64_t{1} << shift; }
  int64_t places() const { return shift == 1 ? 2 : 3; }
};

ConvParameters parameters_of(const graph::Node& node, const graph::Graph& graph) {
  return {.geometry = generic::over_upsampled_geometry(generic::constant_input(node, graph, "Filter").shape),
          .int8_in = true,
          .int8_out = node.alias == "int8_out"};
}

class ConvOverUpsampled : public Kernel {
 public:
  ConvOverUpsampled(const graph::Node& node, const graph::Graph& graph)
      : parameters_(parameters_of(node, graph)), lanes_(pixel_stride_of(parameters_.geometry.out_channels)),
        finish_(node, graph, parameters_, true), low_(low_sources(node, graph, lanes_)), full_index_(full_index(node)),
        full_input_(generic::input_index(node, "X", full_index_)),
        full_channels_(generic::constant_input(node, graph, "Filter", full_index_).shape[1]), full_(full_gemm(node, graph)) {
    // The middle tap is part of every output's sum once. The coarsest source brings where the full-size map's sums begin.
    for (LowSource& source : low_)
      for (int64_t i = 0; i < kTaps * lanes_; i++)
        source.starts.push_back(source.products.start(i) +
                                (&source == low_.data() && i / lanes_ == kTaps / 2 ? full_.start(i % lanes_) : 0));
  }

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs, outputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    finish_.check(name(), outputs, parameters_.geometry.out_channels);
    check_source(inputs[full_input_], full_channels_, 1, outputs[0]);
    for (const LowSource& source : low_) check_source(inputs[source.input], source.channels, source.factor(), outputs[0]);
    const size_t bytes = worker_bytes(inputs, outputs[0]);
    generic::parallel_rows(context, outputs[0].shape[0], outputs[0].shape[2], 1, [&](int64_t begin, int64_t end, int worker) {
      run_lines(inputs, outputs, begin, end, context.scratch + static_cast<size_t>(worker) * bytes);
    });
  }

 private:
  // A worker's memory for a low source, in elements of int32.
  struct LowLayout {
    int64_t product_row, places;
    int64_t total() const { return kRing * product_row + places; }
  };
  // A low source while a worker runs.
  struct LowState {
    int32_t *products, *places;
    std::array<int64_t, kRing> held;  // source row of each product row, counted over the batch
    std::array<int64_t, 3> summed;    // source rows that `places` was made of
  };

  static int full_index(const graph::Node& node) {
    const std::vector<int64_t> factors = node.attr_ints("factors");
    return static_cast<int>(std::ranges::find(factors, 1) - factors.begin());
  }

  static int8_t weight_at(const graph::Constant& filter, int64_t out, int64_t in, int64_t tap) {
    if (out >= filter.shape[0] || in >= filter.shape[1]) return 0;
    return filter.as<int8_t>()[static_cast<size_t>((out * filter.shape[1] + in) * kTaps + tap)];
  }

  static std::vector<LowSource> low_sources(const graph::Node& node, const graph::Graph& graph, int64_t lanes) {
    std::vector<LowSource> sources;
    const std::vector<int64_t> factors = node.attr_ints("factors");
    std::vector<int> order;
    for (size_t i = 0; i < factors.size(); i++)
      if (factors[i] > 1) order.push_back(static_cast<int>(i));
    const auto factor_of = [&](int index) { return factors[static_cast<size_t>(index)]; };
    std::ranges::stable_sort(order, std::greater(), factor_of);
    for (const int index : order) {
      const graph::Constant& filter = generic::constant_input(node, graph, "Filter", index);
      const auto weight = [&](int64_t, int64_t in, int64_t column) { return weight_at(filter, column % lanes, in, column / lanes); };
      sources.push_back({generic::input_index(node, "X", index), filter.shape[1], std::countr_zero(static_cast<uint64_t>(factor_of(index))),
                         Gemm(1, pixel_stride_of(filter.shape[1]), kTaps * lanes, {Function::linear, Store::sums}, weight)});
    }
    return sources;
  }

  Gemm full_gemm(const graph::Node& node, const graph::Graph& graph) const {
    std::vector<int64_t> low_reach(static_cast<size_t>(lanes_), 0);
    for (int i = 0; i <= static_cast<int>(low_.size()); i++) {
      if (i == full_index_) continue;
      const graph::Constant& low = generic::constant_input(node, graph, "Filter", i);
      for (int64_t o = 0; o < low.shape[0]; o++)
        for (int64_t k = 0; k < low.shape[1] * kTaps; k++)
          low_reach[static_cast<size_t>(o)] += 128 * std::abs(int64_t{weight_at(low, o, k / kTaps, k % kTaps)});
    }
    const graph::Constant& filter = generic::constant_input(node, graph, "Filter", full_index_);
    const int64_t in_lanes = pixel_stride_of(full_channels_);
    const auto weight = [&](int64_t ky, int64_t k, int64_t out) { return weight_at(filter, out, k % in_lanes, ky * 3 + k / in_lanes); };
    return {3, 3 * in_lanes, lanes_, finish_.form(), weight, finish_.rules(), low_reach};
  }

  void check_source(const TensorView& in, int64_t channels, int64_t factor, const TensorView& out) const {
    generic::expect_dtype(name(), "input", in, DataType::i8);
    const Shape expected{out.shape[0], channels, out.shape[2] / factor, out.shape[3] / factor};
    if (!(in.shape == expected) || out.shape[2] % factor != 0 || out.shape[3] % factor != 0)
      fail("conv2d_over_upsampled: input is %s, expected %s for an output of %s", in.shape.str().c_str(), expected.str().c_str(),
           out.shape.str().c_str());
  }

  LowLayout low_layout(const TensorView& in) const {
    const int64_t width = in.shape[3];
    return {width * kTaps * lanes_, width * 3 * lanes_};
  }
  LineRing::Layout ring_layout(const TensorView& in) const {
    return {.rows = 3, .pixels = in.shape[3] + 2, .left = 1, .lanes = pixel_stride_of(full_channels_)};
  }
  size_t starts_bytes(const TensorView& out) const { return align_up(static_cast<size_t>(out.shape[3] * lanes_) * sizeof(int32_t)); }
  size_t zeros_bytes() const { return align_up(static_cast<size_t>(kTaps * lanes_) * sizeof(int32_t)); }

  size_t worker_bytes(std::span<const TensorView> inputs, const TensorView& out) const {
    size_t bytes = ring_layout(inputs[full_input_]).bytes() + starts_bytes(out) + zeros_bytes() + finish_.scratch_bytes(out);
    for (const LowSource& source : low_) bytes += align_up(static_cast<size_t>(low_layout(inputs[source.input]).total()) * sizeof(int32_t));
    return bytes;
  }

  LowState start_low(const TensorView& in, std::byte* memory) const {
    const LowLayout layout = low_layout(in);
    auto* at = reinterpret_cast<int32_t*>(memory);
    LowState state{at, at + kRing * layout.product_row, {}, {}};
    state.held.fill(kNeverComputed);
    state.summed.fill(kNeverComputed);
    return state;
  }

  // The products of a source row of the batch, [pixel][tap][lane], computed if the ring lacks them.
  const int32_t* products(const LowSource& source, const TensorView& in, int64_t row, LowState& state) const {
    const int64_t slot = row % kRing, pixel = kTaps * lanes_;
    int32_t* data = state.products + slot * low_layout(in).product_row;
    if (state.held[static_cast<size_t>(slot)] != row) {
      GemmRow gemm{.pixel_step = in.pixel_stride,
                   .pixels = in.shape[3],
                   .start = source.starts.data(),
                   .out = reinterpret_cast<std::byte*>(data),
                   .out_step = pixel * static_cast<ptrdiff_t>(sizeof(int32_t))};
      gemm.segments[0] = in.as<const int8_t>() + row / in.shape[2] * in.batch_stride + row % in.shape[2] * in.row_stride;
      source.products.run(gemm, {});
      state.held[static_cast<size_t>(slot)] = row;
    }
    return data;
  }

  // What output row y takes from a source and those that are coarser, by place.
  Places places(const LowSource& source, const TensorView& in, int64_t batch, int64_t y, const int32_t* zeros, const Places& coarser,
                LowState& state) const {
    const int64_t out_height = in.shape[2] << source.shift;
    std::array<int64_t, 3> wanted;
    for (int64_t ky = 0; ky < 3; ky++) {
      const int64_t from = y + ky - 1;
      wanted[static_cast<size_t>(ky)] = from < 0 || from >= out_height ? kRowOutside : batch * in.shape[2] + (from >> source.shift);
    }
    // Where the coarser rows are others, so are these.
    if (wanted != state.summed) {
      ProductRows rows{};
      for (size_t ky = 0; ky < 3; ky++) {
        const bool outside = wanted[ky] == kRowOutside;
        rows.rows[ky] = outside ? zeros : products(source, in, wanted[ky], state);
        rows.steps[ky] = outside ? 0 : kTaps * lanes_;
      }
      Places added = coarser;
      added.shift -= source.shift;
      loops_.sum_products(rows, in.shape[3], lanes_, source.places(), added, state.places);
      state.summed = wanted;
    }
    return {state.places, source.places(), source.shift};
  }

  void run_lines(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int64_t begin, int64_t end,
                 std::byte* memory) const {
    const TensorView& full = inputs[full_input_];
    const int64_t height = outputs[0].shape[2], width = outputs[0].shape[3];
    const auto take = [&](size_t bytes) { return std::exchange(memory, memory + bytes); };
    LineRing ring(ring_layout(full), full, take(ring_layout(full).bytes()));
    auto* starts = reinterpret_cast<int32_t*>(take(starts_bytes(outputs[0])));
    auto* zeros = reinterpret_cast<int32_t*>(take(zeros_bytes()));
    std::memset(zeros, 0, zeros_bytes());
    std::byte* row_memory = take(finish_.scratch_bytes(outputs[0]));
    std::array<LowState, kMostLow> states;
    for (size_t i = 0; i < low_.size(); i++) {
      const TensorView& in = inputs[low_[i].input];
      states[i] = start_low(in, take(align_up(static_cast<size_t>(low_layout(in).total()) * sizeof(int32_t))));
    }
    const FinishConstants constants = finish_.constants();
    for (int64_t line = begin; line < end; line++) {
      const int64_t batch = line / height, y = line % height;
      Places sums{};
      for (size_t i = 0; i < low_.size(); i++) sums = places(low_[i], inputs[low_[i].input], batch, y, zeros, sums, states[i]);
      if (sums.count == 3) loops_.spread_places(sums, width, lanes_, starts);
      const ConvFinish::Row out = finish_.row(outputs, line, row_memory);
      GemmRow row{.pixel_step = pixel_stride_of(full_channels_),
                  .pixels = width,
                  .start = sums.count == 3 ? starts : sums.data,  // two places are the outputs
                  .start_step = lanes_,
                  .out = out.data,
                  .out_step = out.step,
                  .second = out.second,
                  .second_step = out.second_step};
      for (int64_t ky = 0; ky < 3; ky++) row.segments[static_cast<size_t>(ky)] = ring.line(batch, y + ky - 1);
      full_.run(row, constants);
      finish_.complete(out, outputs, line);
    }
  }

  std::string name_ = kernel_name("conv2d_over_upsampled.int8");
  const InnerLoops& loops_ = inner_loops();
  ConvParameters parameters_;
  int64_t lanes_;  // of an output pixel
  ConvFinish finish_;
  std::vector<LowSource> low_;  // the coarsest first
  int full_index_;
  size_t full_input_;
  int64_t full_channels_;
  Gemm full_;
};

}  // namespace

bool accepts_conv_over_upsampled(const graph::Node& node, const graph::Graph& graph) {
  if (node.precision != graph::kInt8Precision) return false;
  const std::vector<int64_t> factors = node.attr_ints("factors");
  if (factors.size() < 2 || factors.size() > kMostLow + 1 || std::ranges::count(factors, 1) != 1) return false;
  const int64_t out_channels = generic::constant_input(node, graph, "Filter").shape[0];
  for (size_t i = 0; i < factors.size(); i++) {
    const graph::Constant& filter = generic::constant_input(node, graph, "Filter", static_cast<int>(i));
    const Shape& s = filter.shape;
    if (filter.dtype != DataType::i8 || s.rank() != 4 || s[0] != out_channels || s[1] < 2 || s[2] != 3 || s[3] != 3) return false;
    if (factors[i] < 1 || !std::has_single_bit(static_cast<uint64_t>(factors[i]))) return false;
  }
  return out_channels > 4 && ConvFinish::accepts(node, graph, parameters_of(node, graph), {.fp16 = true});
}

std::unique_ptr<Kernel> create_conv_over_upsampled(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<ConvOverUpsampled>(node, graph);
}

}  // namespace edgeocr::kernels::int8
