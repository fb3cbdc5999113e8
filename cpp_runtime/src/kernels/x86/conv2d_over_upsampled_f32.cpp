// conv2d_over_upsampled (graph/passes/over_upsampled.h), fp32: the upsampled sources' rows are where the sums of the one source at the
// output's resolution begin. The order of the sums is not the plain set's.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"
#include "kernels/pure_fp32.h"
#include "kernels/x86/conv_rows_f32.h"
#include "kernels/x86/finish_f32.h"
#include "kernels/x86/kernels_f32.h"
#include "kernels/x86/upsampled_source_f32.h"
#include "kernels/x86/winograd_f32.h"

namespace edgeocr::kernels::x86 {

namespace {

class OverUpsampledF32 : public Kernel {
 public:
  OverUpsampledF32(const graph::Node& node, const graph::Graph& graph)
      : loops_(generic::current_loops()),
        finish_(generic::bias_or_zeros(node, graph, generic::constant_input(node, graph, "Filter").shape[0]),
                generic::conv_activation(node), parse_tail(node, graph)) {
    const std::vector<int64_t> factors = node.attr_ints("factors");
    for (size_t i = 0; i < factors.size(); i++) {
      const auto index = static_cast<int>(i);
      const graph::Constant& filter = generic::constant_input(node, graph, "Filter", index);
      const Input input{generic::input_index(node, "X", index), factors[i], filter.shape[1]};
      inputs_.push_back(input);
      if (factors[i] > 1) {
        upsampled_.push_back({input.position, UpsampledSourceF32(filter, factors[i], finish_.lanes())});
      } else {
        const ConvGeometry geometry = generic::over_upsampled_geometry(filter.shape);
        direct_position_ = input.position;
        if (WinogradF32::suits(geometry) && !finish_.form().residual) winograd_.emplace(filter, finish_.lanes(), finish_.form());
        else direct_.emplace(geometry, filter, finish_.lanes(), finish_.form());
      }
    }
  }

  std::string_view name() const override { return "x86.conv2d_over_upsampled.fp32"; }
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
        source.source.clear(reinterpret_cast<float*>(next));
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
  struct Input {
    size_t position;
    int64_t factor, channels;
  };
  struct Upsampled {
    size_t position;
    UpsampledSourceF32 source;
  };
  // Two bands of sums, then the sources' own, then that of the direct source.
  struct Memory {
    float *sums, *other;
    std::byte* sources;
    float* window;
  };

  // Rows of outputs made at a time.
  int64_t band_rows() const { return winograd_ ? WinogradF32::kTile : 1; }
  size_t sums_bytes(const TensorView& out) const {
    return align_up(static_cast<size_t>(band_rows() * out.shape[3] * finish_.lanes()) * sizeof(float));
  }
  size_t all_sources_bytes(std::span<const TensorView> inputs) const {
    size_t bytes = 0;
    for (const Upsampled& source : upsampled_) bytes += source_bytes(source, inputs);
    return bytes;
  }
  Memory memory_of(std::byte* scratch, std::span<const TensorView> inputs, const TensorView& out) const {
    std::byte* sources = scratch + 2 * sums_bytes(out);
    return {reinterpret_cast<float*>(scratch), reinterpret_cast<float*>(scratch + sums_bytes(out)), sources,
            reinterpret_cast<float*>(sources + all_sources_bytes(inputs))};
  }
  static size_t source_bytes(const Upsampled& source, std::span<const TensorView> inputs) {
    return align_up(source.source.scratch_elements(inputs[source.position]) * sizeof(float));
  }
  size_t worker_bytes(std::span<const TensorView> inputs, const TensorView& out) const {
    size_t window = 0;
    if (direct_) window = direct_->scratch_elements(inputs[direct_position_], out.shape[3]);
    if (winograd_) window = winograd_->scratch_elements(inputs[direct_position_]);
    return align_up(2 * sums_bytes(out) + all_sources_bytes(inputs) + window * sizeof(float));
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

  void sum_upsampled(std::span<const TensorView> inputs, int64_t batch, int64_t y, const Memory& memory, float* sums) const {
    std::byte* scratch = memory.sources;
    bool add = false;
    for (const Upsampled& source : upsampled_) {
      source.source.run(inputs[source.position], batch, y, add, reinterpret_cast<float*>(scratch), sums);
      scratch += source_bytes(source, inputs);
      add = true;
    }
  }

  void run_band(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int64_t batch, int64_t y, int64_t rows,
                const Memory& memory) const {
    const TensorView& out = outputs[0];
    const int64_t width = out.shape[3], first = (batch * out.shape[2] + y) * width;
    for (int64_t i = 0; i < rows; i++) sum_upsampled(inputs, batch, y + i, memory, memory.sums + i * width * finish_.lanes());
    if (!direct_ && !winograd_) {
      add_bias(memory.sums, width);
      return finish_.run(memory.sums, memory.other, first, width, inputs, outputs);
    }
    const bool to_output = finish_.on_registers();
    const float* start = upsampled_.empty() ? nullptr : memory.sums;
    float* target = to_output ? out.as<float>() + batch * out.batch_stride + y * out.row_stride : memory.other;
    const int64_t target_step = to_output ? out.pixel_stride : finish_.lanes();
    if (winograd_) {
      const WinogradF32::Band band{batch, y, rows, start, target, to_output ? out.row_stride : width * finish_.lanes(), target_step};
      winograd_->run(inputs[direct_position_], band, finish_.constants(), memory.window);
    } else {
      RowF32 row;
      row.start = start;
      row.start_step = finish_.lanes();
      row.out = target;
      row.out_step = target_step;
      if (finish_.form().residual) finish_.set_residual(row, first, out.shape, inputs);
      direct_->run(inputs[direct_position_], batch, y, width, row, finish_.constants(), memory.window);
    }
    if (!to_output) finish_.run(memory.other, memory.sums, first, rows * width, inputs, outputs);
  }

  void add_bias(float* sums, int64_t width) const {
    for (int64_t x = 0; x < width; x++) loops_.accumulate(finish_.constants().bias, finish_.lanes(), sums + x * finish_.lanes());
  }

  const generic::Loops& loops_;
  FinishF32 finish_;
  std::vector<Input> inputs_;
  std::vector<Upsampled> upsampled_;
  std::optional<ConvRowsF32> direct_;  // of the source at the output's resolution, one of the two
  std::optional<WinogradF32> winograd_;
  size_t direct_position_ = 0;
};

}  // namespace

bool accepts_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph) {
  if (node.precision == 2 || !is_pure_fp32(graph)) return false;
  const std::vector<int64_t> factors = node.attr_ints("factors");
  if (factors.empty() || std::ranges::count(factors, 1) > 1) return false;
  int64_t outputs = 0;
  for (size_t i = 0; i < factors.size(); i++) {
    const graph::Constant* filter = graph.constant(node.input("Filter", static_cast<int>(i)));
    if (filter == nullptr || filter->dtype != DataType::f32 || filter->shape.rank() != 4 || factors[i] < 1) return false;
    const Shape& s = filter->shape;
    if (s[1] <= 4 || s[2] != 3 || s[3] != 3 || (i > 0 && s[0] != outputs)) return false;
    outputs = s[0];
  }
  return true;
}

std::unique_ptr<Kernel> create_conv2d_over_upsampled_f32(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<OverUpsampledF32>(node, graph);
}

}  // namespace edgeocr::kernels::x86
