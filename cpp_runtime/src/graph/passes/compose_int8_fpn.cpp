#include "graph/passes/compose_int8_fpn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

#include "base/aligned.h"
#include "graph/passes/calib.h"
#include "graph/passes/convolution.h"
#include "graph/passes/linear_expansion.h"
#include "graph/passes/over_upsampled.h"
#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

constexpr int64_t kTaps = 9;
constexpr int kMostInt8 = 127;
// What adding up the products of an upsampled source costs per output, in multiply-adds, with the int8 kernels for the A76.
constexpr double kUpsampledSum = 37;

// A summand of a 3x3 convolution's input: the int8 map `value`, `scale` a step, upsampled, through the 1x1 convolution if there is one.
struct Term {
  ValueId value = kNoValue;
  float scale = 1;
  int factor = 1;
  const Node* matrix = nullptr;
};
using Sum = LinearSum<Term>;

// Filter0_scale of each output channel; empty unless there is one for all or one per channel, and one for the input.
std::vector<float> channel_scales(const Node& conv, int64_t channels) {
  std::vector<float> scales = conv.attr_floats("Filter0_scale");
  if (scales.size() == 1) scales.resize(static_cast<size_t>(channels), float{scales[0]});
  const bool whole = scales.size() == static_cast<size_t>(channels) && conv.attr_floats("Input0_scale").size() == 1;
  return whole ? scales : std::vector<float>{};
}

// A convolution that gives its int8 sums in real units, and nothing else.
bool is_plain_int8(const Node& node, const Graph& graph, int64_t kernel) {
  return is_same_conv(node, graph, kernel) && node.precision == kInt8Precision && node.alias != "int8_out" && node.tail == nullptr &&
         !channel_scales(node, output_channels(node, graph)).empty();
}

class Expansion : public LinearExpansion<Term> {
 public:
  Expansion(const Graph& graph, const Uses& uses, const std::vector<Inferred>& shapes)
      : LinearExpansion(graph, uses, shapes, kUpsampledSum) {}

 private:
  // The fp32 map as a calib leaves it, if there is one.
  Sum as_it_is(ValueId value, int factor) const override {
    for (const int reader : uses_.readers(value)) {
      const Node& calib = graph_.nodes[static_cast<size_t>(reader)];
      if (is_quantising(calib)) return of_term({calib.outputs[0].value, calib_scale(calib), factor, nullptr});
    }
    return {};
  }

  Sum through_matrix(const Node& node, int factor) const override {
    if (!is_plain_int8(node, graph_, 1) || node.input("Bias") != kNoValue || has_activation(node)) return {};
    return of_term({node.input("Input"), node.attr_floats("Input0_scale")[0], factor, &node});
  }
};

// Real weights [O, C, 9] of a source, in units of a step of its map.
struct Source {
  ValueId value = kNoValue;
  int factor = 1;
  int64_t channels = 0;
  std::vector<double> weights;
};

Source composed(const Graph& graph, const Node& conv, const Term& term) {
  const Constant& filter = *graph.constant(conv.input("Filter"));
  const auto outer = filter.as<int8_t>();
  const int64_t outputs = filter.shape[0], middle = filter.shape[1];
  const Constant* matrix = term.matrix == nullptr ? nullptr : graph.constant(term.matrix->input("Filter"));
  Source source{term.value, term.factor, matrix == nullptr ? middle : matrix->shape[1], {}};
  const std::vector<float> outer_scale = channel_scales(conv, outputs);
  const std::vector<float> inner_scale = matrix == nullptr ? std::vector<float>() : channel_scales(*term.matrix, middle);
  // [M, C], the diagonal left out where there is no matrix.
  const auto inner = [&](int64_t m, int64_t c) {
    if (matrix == nullptr) return m == c ? 1.0 : 0.0;
    return matrix->as<int8_t>()[static_cast<size_t>(m * source.channels + c)] * static_cast<double>(inner_scale[static_cast<size_t>(m)]);
  };
  source.weights.assign(static_cast<size_t>(outputs * source.channels * kTaps), 0.0);
  for (int64_t o = 0; o < outputs; o++)
    for (int64_t m = 0; m < middle; m++)
      for (int64_t c = 0; c < source.channels; c++) {
        const double factor = inner(m, c) * static_cast<double>(outer_scale[static_cast<size_t>(o)]) * static_cast<double>(term.scale);
        for (int64_t t = 0; factor != 0 && t < kTaps; t++)
          source.weights[static_cast<size_t>((o * source.channels + c) * kTaps + t)] +=
              factor * outer[static_cast<size_t>((o * middle + m) * kTaps + t)];
      }
  return source;
}

// How far the sum's values spread (root mean square of all channels) if its terms are independent and each is spread evenly over its range.
double spread(const Graph& graph, const Sum& sum) {
  double squares = 0;
  for (const Term& term : sum.terms) {
    double gains = 1;  // squares of the weights, summed over inputs
    if (term.matrix != nullptr) {
      const Constant& matrix = *graph.constant(term.matrix->input("Filter"));
      const std::vector<float> scales = channel_scales(*term.matrix, matrix.shape[0]);
      const auto weights = matrix.as<int8_t>();
      gains = 0;
      for (size_t i = 0; i < weights.size(); i++)
        gains += std::pow(weights[i] * static_cast<double>(scales[i / static_cast<size_t>(matrix.shape[1])]), 2);
      gains /= static_cast<double>(matrix.shape[0]);
    }
    squares += gains * std::pow(kMostInt8 * static_cast<double>(term.scale), 2) / 3;
  }
  return std::sqrt(squares);
}

// One source per map and factor: terms of the same map are one convolution.
std::vector<Source> sources_of(const Graph& graph, const Node& conv, const Sum& sum) {
  std::vector<Source> sources;
  for (const Term& term : sum.terms) {
    Source source = composed(graph, conv, term);
    const auto same = std::ranges::find_if(sources, [&](const Source& s) { return s.value == term.value && s.factor == term.factor; });
    if (same == sources.end()) sources.push_back(std::move(source));
    else std::ranges::transform(same->weights, source.weights, same->weights.begin(), std::plus<>());
  }
  std::ranges::sort(sources, {}, &Source::factor);
  return sources;
}

// The nine weights of one channel in steps of `scale`, with their sum rounded as a whole: maps are smooth, so the nine pixels are much
// alike, and it is the sum of the errors that counts.
std::array<int8_t, kTaps> rounded(const double* weights, double scale) {
  std::array<double, kTaps> exact;
  std::array<int, kTaps> whole;
  std::array<size_t, kTaps> order;
  for (size_t t = 0; t < kTaps; t++) {
    exact[t] = weights[t] / scale;
    whole[t] = static_cast<int>(std::lround(exact[t]));
  }
  std::iota(order.begin(), order.end(), size_t{0});
  const auto missing =
      static_cast<int>(std::lround(std::accumulate(exact.begin(), exact.end(), 0.0))) - std::accumulate(whole.begin(), whole.end(), 0);
  const int sign = missing < 0 ? -1 : 1;
  std::ranges::sort(order, {}, [&](size_t t) { return sign * (whole[t] - exact[t]); });
  int left = std::abs(missing);
  for (const size_t t : order) {
    if (left == 0) break;
    if (std::abs(whole[t] + sign) > kMostInt8) continue;
    whole[t] += sign;
    left--;
  }
  std::array<int8_t, kTaps> result;
  std::ranges::transform(whole, result.begin(), [](int v) { return static_cast<int8_t>(std::clamp(v, -kMostInt8, kMostInt8)); });
  return result;
}

struct Quantised {
  std::vector<UpsampledSource> sources;
  std::vector<float> scales;  // per output channel
};

// Nothing where the rounding would be too coarse for a channel.
std::optional<Quantised> quantise(const std::vector<Source>& sources, int64_t outputs) {
  Quantised result;
  std::vector<std::shared_ptr<std::byte>> filters;
  for (const Source& source : sources) filters.push_back(allocate_aligned(source.weights.size(), "filter"));
  for (int64_t o = 0; o < outputs; o++) {
    const auto weights_of = [&](const Source& s) {
      return std::span(s.weights).subspan(static_cast<size_t>(o * s.channels * kTaps), static_cast<size_t>(s.channels * kTaps));
    };
    double most = 0, squares = 0, errors = 0;
    for (const Source& source : sources)
      for (const double w : weights_of(source)) most = std::max(most, std::abs(w));
    const float scale = most > 0 ? static_cast<float>(most / kMostInt8) : 1.0f;
    result.scales.push_back(scale);
    for (size_t i = 0; i < sources.size(); i++) {
      const auto weights = weights_of(sources[i]);
      auto* to = reinterpret_cast<int8_t*>(filters[i].get()) + static_cast<size_t>(o) * weights.size();
      for (size_t k = 0; k < weights.size(); k += kTaps) {
        const auto taps = rounded(&weights[k], static_cast<double>(scale));
        std::ranges::copy(taps, to + k);
        for (size_t t = 0; t < kTaps; t++) {
          squares += weights[k + t] * weights[k + t];
          errors += std::pow(taps[t] * static_cast<double>(scale) - weights[k + t], 2);
        }
      }
    }
    if (std::sqrt(errors) > kMostWeightError * std::sqrt(squares)) return {};
  }
  for (size_t i = 0; i < sources.size(); i++) {
    const std::span<const std::byte> data(filters[i].get(), sources[i].weights.size());
    auto filter = std::make_shared<Constant>(Constant{DataType::i8, {outputs, sources[i].channels, 3, 3}, std::move(filters[i]), data});
    result.sources.push_back({sources[i].value, sources[i].factor, std::move(filter)});
  }
  return result;
}

// Every calib behind the node that makes its input, so that whatever is quantised can be read anywhere.
void raise_to_makers(Graph& graph) {
  const Uses uses(graph);
  const auto is_raised = [&](const Node& node) { return is_quantising(node) && uses.producer(node.input("Input")) >= 0; };
  std::vector<Node> ordered;
  for (const Node& node : graph.nodes) {
    if (is_raised(node)) continue;
    ordered.push_back(node);
    for (const Port& port : node.outputs) {
      if (port.value == kNoValue) continue;
      for (const int reader : uses.readers(port.value))
        if (const Node& calib = graph.nodes[static_cast<size_t>(reader)]; is_raised(calib)) ordered.push_back(calib);
    }
  }
  graph.nodes = std::move(ordered);
}

}  // namespace

void compose_int8_fpn(Graph& graph) {
  if (std::ranges::none_of(graph.nodes, [&](const Node& node) { return is_plain_int8(node, graph, 3); })) return;
  const std::vector<Inferred> shapes = probe_shapes(graph);
  if (shapes.empty()) return;
  raise_to_makers(graph);
  rewrite(graph, [&](const Uses& uses, size_t n) {
    if (!is_plain_int8(graph.nodes[n], graph, 3)) return false;
    const int maker = uses.producer(graph.nodes[n].input("Input"));
    if (maker < 0 || !is_quantising(graph.nodes[static_cast<size_t>(maker)])) return false;
    const Node& calib = graph.nodes[static_cast<size_t>(maker)];
    const Sum sum = Expansion(graph, uses, shapes).expand(calib.input("Input"), 1);
    if (sum.terms.size() < 2 || spread(graph, sum) > kMostInt8 * static_cast<double>(calib_scale(calib))) return false;
    auto quantised = quantise(sources_of(graph, graph.nodes[n], sum), graph.constant(graph.nodes[n].input("Filter"))->shape[0]);
    if (!quantised) return false;
    graph.nodes[n] = over_upsampled(graph, Node(graph.nodes[n]), std::move(quantised->sources));
    graph.nodes[n].attrs["Input0_scale"] = std::vector<float>{1.0f};
    graph.nodes[n].attrs["Filter0_scale"] = std::move(quantised->scales);
    return true;
  });
}

}  // namespace edgeocr::graph
