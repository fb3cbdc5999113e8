// conv2d_over_upsampled (graph/passes/over_upsampled.h) around a set's products: the upsampled sources' rows are where the sums of the one
// source at the output's resolution begin. The order of the sums is not the plain set's.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/floating/float_node.h"
#include "kernels/floating/upsampled_source.h"
#include "kernels/floating/winograd_filter.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/kernel.h"
#include "kernels/pure_fp32.h"

namespace edgeocr::kernels::floating {

// Loops: UpsampledSource's
template <class Set, class Loops> class OverUpsampled : public Kernel {
 public:
  using T = typename Set::Value;

  OverUpsampled(const graph::Node& node, const graph::Graph& graph)
      : name_(kernel_name<Set>("conv2d_over_upsampled")),
        finish_(Set::finish_of(node, graph, generic::constant_input(node, graph, "Filter").shape[0], generic::conv_activation(node))),
        no_bias_(static_cast<size_t>(finish_.lanes()), static_cast<T>(0.0f)) {
    const std::vector<int64_t> factors = node.attr_ints("factors");
    for (size_t i = 0; i < factors.size(); i++) {
      const auto index = static_cast<int>(i);
      const graph::Constant& filter = generic::constant_input(node, graph, "Filter", index);
      const Input input{generic::input_index(node, "X", index), factors[i], filter.shape[1]};
      inputs_.push_back(input);
      if (factors[i] > 1) {
        upsampled_.push_back({input.position, Source(filter, factors[i], finish_.lanes())});
      } else {
        const ConvGeometry geometry = generic::over_upsampled_geometry(filter.shape);
        direct_position_ = input.position;
        if (suits_winograd(geometry) && !finish_.form().residual) winograd_.emplace(filter, finish_.lanes(), finish_.form());
        else direct_.emplace(geometry, filter, finish_.lanes(), finish_.form());
      }
    }
  }

  std::string_view name() const override { return name_; }
  bool by_rows() const override { return true; }
  int64_t row_grain() const override { return band_rows(); }

  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * worker_bytes(inputs, outputs[0]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    check(inputs, outputs[0]);
    const TensorView& out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3];
    const int64_t rows = band_rows(), bands = (height + rows - 1) / rows;
    generic::parallel_rows(context, out.shape[0], height, rows, [&](int64_t begin, int64_t end, int worker) {
      const Memory memory = memory_of(context.scratch + static_cast<size_t>(worker) * worker_bytes(inputs, out), inputs, out);
      std::byte* next = memory.sources;
      for (const Upsampled& source : upsampled_) {
        source.source.clear(reinterpret_cast<T*>(next));
        next += source_bytes(source, inputs);
      }
      if (direct_) direct_->clear(inputs[direct_position_], width, memory.window);
      if (winograd_) winograd_->clear(inputs[direct_position_], memory.window);
      for (int64_t band = begin; band < end; band++) {
        const int64_t batch = band / bands, y = band % bands * rows;
        run_band(inputs, outputs, batch, y, std::min(rows, height - y), memory);
      }
    });
  }

 private:
  using Winograd = typename Set::Winograd;
  using Source = UpsampledSource<Set, Loops>;

  struct Input {
    size_t position;
    int64_t factor, channels;
  };
  struct Upsampled {
    size_t position;
    Source source;
  };
  // A band of sums that Finish works on, if it does; a band of sums of upsampled sources; their own memory; that of the direct source.
  struct Memory {
    std::byte* sums;
    T* start;
    std::byte* sources;
    T* window;
  };

  // Rows of outputs made at a time.
  int64_t band_rows() const { return winograd_ ? Winograd::kTile : 1; }
  bool has_direct() const { return direct_.has_value() || winograd_.has_value(); }
  // Whether the direct source's kernel stores the outputs.
  bool to_output() const { return has_direct() && finish_.on_registers(); }
  size_t sums_bytes(const TensorView& out) const { return to_output() ? 0 : finish_.scratch_bytes(band_rows() * out.shape[3]); }
  size_t start_bytes(const TensorView& out) const {
    return align_up(static_cast<size_t>(band_rows() * out.shape[3] * finish_.lanes()) * sizeof(T));
  }
  size_t all_sources_bytes(std::span<const TensorView> inputs) const {
    size_t bytes = 0;
    for (const Upsampled& source : upsampled_) bytes += source_bytes(source, inputs);
    return bytes;
  }
  Memory memory_of(std::byte* scratch, std::span<const TensorView> inputs, const TensorView& out) const {
    std::byte *start = scratch + sums_bytes(out), *sources = start + start_bytes(out);
    return {scratch, reinterpret_cast<T*>(start), sources, reinterpret_cast<T*>(sources + all_sources_bytes(inputs))};
  }
  static size_t source_bytes(const Upsampled& source, std::span<const TensorView> inputs) {
    return align_up(source.source.scratch_elements(inputs[source.position]) * sizeof(T));
  }
  size_t worker_bytes(std::span<const TensorView> inputs, const TensorView& out) const {
    size_t window = 0;
    if (direct_) window = direct_->scratch_elements(inputs[direct_position_], out.shape[3]);
    if (winograd_) window = winograd_->scratch_elements(inputs[direct_position_]);
    return align_up(sums_bytes(out) + start_bytes(out) + all_sources_bytes(inputs) + window * sizeof(T));
  }

  void check(std::span<const TensorView> inputs, const TensorView& out) const {
    for (const Input& input : inputs_) {
      const Shape& s = inputs[input.position].shape;
      if (s[0] != out.shape[0] || s[1] != input.channels || s[2] * input.factor != out.shape[2] || s[3] * input.factor != out.shape[3]) {
        fail("conv2d_over_upsampled: %s enlarged %lld times to %s, expected %lld to %lld channels", s.str().c_str(),
             static_cast<long long>(input.factor), out.shape.str().c_str(), static_cast<long long>(input.channels),
             static_cast<long long>(finish_.channels()));
      }
    }
  }

  // With the bias.
  void sum_upsampled(std::span<const TensorView> inputs, int64_t batch, int64_t y, const Memory& memory, T* sums) const {
    std::byte* scratch = memory.sources;
    const T* bias = finish_.constants().bias;
    for (const Upsampled& source : upsampled_) {
      source.source.run(inputs[source.position], batch, y, std::exchange(bias, nullptr), reinterpret_cast<T*>(scratch), sums);
      scratch += source_bytes(source, inputs);
    }
  }

  void run_band(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int64_t batch, int64_t y, int64_t rows,
                const Memory& memory) const {
    const TensorView& out = outputs[0];
    const int64_t width = out.shape[3], first = (batch * out.shape[2] + y) * width;
    T* upsampled = has_direct() ? memory.start : reinterpret_cast<T*>(memory.sums);
    for (int64_t i = 0; i < rows; i++) sum_upsampled(inputs, batch, y + i, memory, upsampled + i * width * finish_.lanes());
    T* target = to_output() ? out.as<T>() + batch * out.batch_stride + y * out.row_stride : reinterpret_cast<T*>(memory.sums);
    const T* start = upsampled_.empty() ? nullptr : memory.start;
    // Some sets' products add the bias to a start too, which has it already.
    typename Set::Constants constants = finish_.constants();
    if (start != nullptr) constants.bias = no_bias_.data();
    if (winograd_) {
      const typename Winograd::Band band{batch, y, rows, start, target};
      winograd_->run(inputs[direct_position_], band, constants, memory.window);
    } else if (direct_) {
      typename Set::Row row;
      row.start = start;
      row.start_step = finish_.lanes();
      row.out = target;
      row.out_step = finish_.lanes();
      if (finish_.form().residual) finish_.set_residual(row, first, out.shape, inputs);
      direct_->run(inputs[direct_position_], batch, y, width, row, constants, memory.window);
    }
    if (!to_output()) finish_.run_sums(memory.sums, band_rows() * width, first, rows * width, inputs, outputs);
  }

  std::string name_;
  typename Set::Finish finish_;
  std::vector<T> no_bias_;
  std::vector<Input> inputs_;
  std::vector<Upsampled> upsampled_;
  std::optional<typename Set::ConvRows> direct_;  // of the source at the output's resolution, one of the two
  std::optional<Winograd> winograd_;
  size_t direct_position_ = 0;
};

// lanes: what those of every source are a multiple of.
template <class T> bool accepts_conv2d_over_upsampled(const graph::Node& node, const graph::Graph& graph, int64_t lanes) {
  if (!computes_in<T>(node) || !is_pure_fp32(graph)) return false;
  const std::vector<int64_t> factors = node.attr_ints("factors");
  if (factors.empty() || std::ranges::count(factors, 1) > 1) return false;
  int64_t outputs = 0;
  for (size_t i = 0; i < factors.size(); i++) {
    const graph::Constant* filter = graph.constant(node.input("Filter", static_cast<int>(i)));
    if (filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4 || factors[i] < 1) return false;
    if (graph.constant(node.input("X", static_cast<int>(i))) != nullptr) return false;
    const Shape& s = filter->shape;
    if (s[1] < 2 || pixel_stride_of(s[1]) % lanes != 0 || s[2] != 3 || s[3] != 3 || (i > 0 && s[0] != outputs)) return false;
    outputs = s[0];
  }
  return true;
}

}  // namespace edgeocr::kernels::floating
