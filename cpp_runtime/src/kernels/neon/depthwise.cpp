// depthwise_conv2d, fp32 and fp16: 3x3 and 5x5, steps of one or two along a row, any step between rows. A register tile is eight
// outputs of a row times one vector of channels; the channels are the inner loop.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/generic/conv_parameters.h"
#include "kernels/generic/parameters.h"
#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_node.h"

namespace edgeocr::kernels::neon {

namespace {

using generic::ConvParameters;

constexpr int64_t kTile = 8;

template <class T> struct TileArguments {
  const T* in;  // the window's first column in its first row that is inside
  ptrdiff_t row_step;
  int rows;        // of the window that are inside
  int begin, end;  // columns of the window that are inside
  ptrdiff_t in_step;
  const T* weights;  // [lanes / vector][kernel * kernel][vector], from the first row that is inside on
  int64_t lanes;
  T* out;
  ptrdiff_t out_step;
  int64_t tiles;  // side by side
};

// Keeps the compiler from loading a row before the one above has been summed: registers for one row is what there is.
template <class T, int P> [[gnu::always_inline]] inline void begin_row(typename Vec<T>::Register (&sum)[P], const T*& row) {
#pragma clang loop unroll(full)
  for (int p = 0; p < P; p++) asm volatile("" : "+w"(sum[p]));
  asm volatile("" : "+r"(row));
}

template <class T> constexpr std::array<T, Vec<T>::kLanes> kZeros{};

// Whether the bias joins the whole sum, as in the plain form, instead of beginning it. Many channels of PaddleOCR's detectors have a bias
// several times their largest weight: an fp16 sum that holds it from the start rounds every product to the few bits that it leaves.
template <class T> constexpr bool kBiasBehind = Vec<T>::kShortSums;

// Taps in order (ky, kx), a multiply-add each, as the plain kernel has them. Rows outside of the map are left out, as maps of few rows
// have many; columns outside multiply zeros. Edge: some columns are not to be read.
template <class T, int Kernel, int Step, int P, bool Edge, FloatForm F>
void run_tile(const TileArguments<T>& given, const Constants<T>& constants) {
  using V = Vec<T>;
  // Copies, which no store can change.
  const TileArguments<T> t = given;
  const Constants<T> c = constants;
  constexpr int kColumns = (P - 1) * Step + Kernel;
  for (int64_t tile = 0; tile < t.tiles; tile++) {
    const T* in = t.in + tile * P * Step * t.in_step;
    T* out = t.out + tile * P * t.out_step;
    const T* lane_weights = t.weights;
    for (int64_t lane = 0; lane < t.lanes; lane += V::kLanes, lane_weights += Kernel * Kernel * V::kLanes) {
      typename V::Register sum[P];
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[p] = F.plain || kBiasBehind<T> ? V::broadcast(0) : load_again(c.bias + lane);
      const T *row = in + lane, *w = lane_weights;
#pragma clang loop unroll(disable)
      for (int ky = 0; ky < t.rows; ky++, row += t.row_step, w += Kernel * V::kLanes) {
        begin_row<T>(sum, row);
        typename V::Register x[kColumns];
#pragma clang loop unroll(full)
        for (int i = 0; i < kColumns; i++) {
          const bool outside = Edge && (i < t.begin || i >= t.end);
          x[i] = V::load(outside ? kZeros<T>.data() : row + i * t.in_step);
        }
#pragma clang loop unroll(full)
        for (int kx = 0; kx < Kernel; kx++) {
          const auto weight = V::load(w + kx * V::kLanes);
#pragma clang loop unroll(full)
          for (int p = 0; p < P; p++) sum[p] = V::fma(sum[p], weight, x[p * Step + kx]);
        }
      }
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) {
        if constexpr (!F.plain && kBiasBehind<T>) sum[p] = sum[p] + V::load(c.bias + lane);
        V::store(out + p * t.out_step + lane, finish<T, F>(sum[p], c.bias + lane, nullptr, c));
      }
    }
  }
}

template <class T> using TileFunction = void (*)(const TileArguments<T>& tile, const Constants<T>& constants);

template <class T, int Kernel, int Step, int P, bool Edge, bool Plain> TileFunction<T> pick(FloatForm::Act act) {
  using Act = FloatForm::Act;
  switch (act) {
    case Act::none: return run_tile<T, Kernel, Step, P, Edge, FloatForm{Act::none, false, Plain}>;
    case Act::relu: return run_tile<T, Kernel, Step, P, Edge, FloatForm{Act::relu, false, Plain}>;
    case Act::hard_swish: break;
  }
  return run_tile<T, Kernel, Step, P, Edge, FloatForm{Act::hard_swish, false, Plain}>;
}
template <class T, int P, bool Edge, bool Plain> TileFunction<T> pick(const ConvGeometry& g, FloatForm::Act act) {
  if (g.kernel_h == 3) return g.stride_w == 1 ? pick<T, 3, 1, P, Edge, Plain>(act) : pick<T, 3, 2, P, Edge, Plain>(act);
  return g.stride_w == 1 ? pick<T, 5, 1, P, Edge, Plain>(act) : pick<T, 5, 2, P, Edge, Plain>(act);
}
template <class T, int P, bool Edge> TileFunction<T> pick(const ConvGeometry& g, const FloatForm& form) {
  if constexpr (!Vec<T>::kShortSums)
    if (form.plain) return pick<T, P, Edge, true>(g, form.act);
  return pick<T, P, Edge, false>(g, form.act);
}

template <class T> class Depthwise : public Kernel {
 public:
  Depthwise(const graph::Node& node, const graph::Graph& graph)
      : parameters_(generic::conv_parameters(node, graph, false)), input_(generic::input_index(node, "Input")),
        finish_(finish_of<T>(node, graph, parameters_.geometry.out_channels)) {
    // A residual is added by Finish: these tiles have no form for it.
    const FloatForm form = direct() ? finish_.form() : finish_.bias_alone();
    const ConvGeometry& g = parameters_.geometry;
    inside_ = pick<T, kTile, false>(g, form);
    edge_ = pick<T, kTile, true>(g, form);
    one_ = pick<T, 1, true>(g, form);
    pack(generic::constant_input(node, graph, "Filter"));
  }

  std::string_view name() const override { return float_name<T>("neon.depthwise_conv2d.fp32", "neon.depthwise_conv2d.fp16"); }
  bool by_rows() const override { return true; }

  size_t scratch_bytes(std::span<const TensorView>, std::span<const TensorView> outputs, int threads) const override {
    return static_cast<size_t>(threads) * sums_bytes(outputs[0].shape[3]);
  }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    const int64_t height = out.shape[2], width = out.shape[3];
    generic::parallel_rows(context, out.shape[0], height, 1, [&](int64_t begin, int64_t end, int worker) {
      std::byte* sums = context.scratch + static_cast<size_t>(worker) * sums_bytes(width);
      for (int64_t line = begin; line < end; line++) {
        const int64_t batch = line / height, y = line % height;
        T* row = direct() ? out.as<T>() + batch * out.batch_stride + y * out.row_stride : reinterpret_cast<T*>(sums);
        run_line(in, batch, y, width, row);
        if (!direct()) finish_.run_sums(sums, width, line * width, width, inputs, outputs);
      }
    });
  }

 private:
  // Stores go straight to the output.
  bool direct() const { return finish_.on_registers() && !finish_.form().residual; }
  int64_t columns_under(int64_t outputs) const { return (outputs - 1) * parameters_.geometry.stride_w + parameters_.geometry.kernel_w; }
  size_t sums_bytes(int64_t width) const { return direct() ? 0 : finish_.scratch_bytes(width); }

  void run_line(const TensorView& in, int64_t batch, int64_t y, int64_t width, T* row) const {
    const ConvGeometry& g = parameters_.geometry;
    const int64_t tile = width < kTile ? 1 : kTile, columns = columns_under(tile), in_width = in.shape[3], in_step = in.pixel_stride;
    const int64_t top = y * g.stride_h - g.pad_top, first = std::clamp<int64_t>(-top, 0, g.kernel_h);
    const int64_t rows = std::clamp<int64_t>(in.shape[2] - top, first, g.kernel_h) - first;
    const T* in_row = in.as<const T>() + batch * in.batch_stride + (top + first) * in.row_stride;
    const T* weights = weights_.data() + first * g.kernel_w * Vec<T>::kLanes;
    for (int64_t m = 0, tiles = 1; m < width; m += tiles * tile) {
      const int64_t x = std::min(m, width - tile);
      const int64_t left = x * g.stride_w - g.pad_left, begin = std::clamp<int64_t>(-left, 0, columns);
      const int64_t end = std::clamp<int64_t>(in_width - left, begin, columns);
      const bool inside = begin == 0 && end == columns;
      // Tiles inside follow each other.
      tiles = inside ? std::min((width - x) / tile, (in_width - left - columns) / (tile * g.stride_w) + 1) : 1;
      const auto run = tile == 1 ? one_ : inside ? inside_ : edge_;
      run({.in = in_row + left * in_step,
           .row_step = in.row_stride,
           .rows = static_cast<int>(rows),
           .begin = static_cast<int>(begin),
           .end = static_cast<int>(end),
           .in_step = in_step,
           .weights = weights,
           .lanes = finish_.lanes(),
           .out = row + x * finish_.lanes(),
           .out_step = finish_.lanes(),
           .tiles = tiles},
          finish_.constants());
    }
  }

  // Filter [C, 1, kernel, kernel]
  void pack(const graph::Constant& filter) {
    const ConvGeometry& g = parameters_.geometry;
    const auto values = filter.as<float>();
    const int64_t taps = g.kernel_h * g.kernel_w;
    for (int64_t first = 0; first < finish_.lanes(); first += Vec<T>::kLanes)
      for (int64_t t = 0; t < taps; t++)
        for (int64_t c = first; c < first + Vec<T>::kLanes; c++)
          weights_.push_back(static_cast<T>(c < g.in_channels ? values[static_cast<size_t>(c * taps + t)] : 0.0f));
  }

  ConvParameters parameters_;
  size_t input_;
  Finish<T> finish_;
  TileFunction<T> inside_ = nullptr, edge_ = nullptr, one_ = nullptr;  // kTile outputs, twice, and one
  std::vector<T> weights_;
};

}  // namespace

template <class T> std::unique_ptr<Kernel> create_depthwise(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Depthwise<T>>(node, graph);
}

template std::unique_ptr<Kernel> create_depthwise<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_depthwise<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
