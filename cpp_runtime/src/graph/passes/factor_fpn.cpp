#include "graph/passes/factor_fpn.h"

#include <algorithm>

#include "graph/passes/convolution.h"
#include "graph/passes/over_upsampled.h"
#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"

namespace edgeocr::graph {

namespace {

constexpr int kMostUpsampling = 16;
constexpr int kMostNested = 12;  // additions and upsamplings behind each other
// What adding up the products of an upsampled source costs per output, in multiply-adds, with the kernels for the A76.
constexpr double kUpsampledSum = 19;
constexpr double kWorthwhile = 0.75;

// A summand of a 3x3 convolution's input: `value` upsampled, through `matrix` [M, C] (a 1x1 filter) if there is one.
struct Term {
  ValueId value = kNoValue;
  int factor = 1;
  const Constant* matrix = nullptr;
};
struct Sum {
  std::vector<Term> terms;
  double cost = 0;  // multiply-adds per output element
};

class Expansion {
 public:
  Expansion(const Graph& graph, const Uses& uses, const std::vector<Inferred>& shapes) : graph_(graph), uses_(uses), shapes_(shapes) {}

  // The cheapest way found to convolve `value`, upsampled by `factor`.
  Sum expand(ValueId value, int factor, int depth = 0) const {
    Sum whole = term({value, factor, nullptr}, channels(value));
    const int maker = uses_.producer(value);
    if (maker < 0 || depth == kMostNested) return whole;
    Sum parts = expand_node(graph_.nodes[static_cast<size_t>(maker)], factor, depth + 1);
    return !parts.terms.empty() && parts.cost <= kWorthwhile * whole.cost ? parts : whole;
  }

 private:
  int64_t channels(ValueId value) const { return shapes_[static_cast<size_t>(value)].shape[1]; }
  bool is_map(ValueId value) const { return graph_.constant(value) == nullptr && shapes_[static_cast<size_t>(value)].shape.rank() == 4; }

  static Sum term(const Term& term, int64_t channels) {
    const double area = static_cast<double>(term.factor) * term.factor;
    return {{term}, 9.0 * static_cast<double>(channels) / area + (term.factor > 1 ? kUpsampledSum : 0)};
  }

  // Empty where the node is not linear.
  Sum expand_node(const Node& node, int factor, int depth) const {
    if (node.tail != nullptr) return {};
    if (node.op == "elementwise_add") return expand_addition(node, factor, depth);
    if (const int repeated = nearest_factor(node, graph_); repeated > 0 && repeated * factor <= kMostUpsampling)
      return expand(node.input("X"), repeated * factor, depth);
    if (is_same_conv(node, graph_, 1) && node.precision == 1 && node.input("Bias") == kNoValue && !has_activation(node)) {
      const ValueId input = node.input("Input");
      return term({input, factor, graph_.constant(node.input("Filter"))}, channels(input));
    }
    return {};
  }

  Sum expand_addition(const Node& node, int factor, int depth) const {
    const ValueId x = node.input("X"), y = node.input("Y");
    if (!is_map(x) || !is_map(y) || !(shapes_[static_cast<size_t>(x)].shape == shapes_[static_cast<size_t>(y)].shape)) return {};
    Sum sum = expand(x, factor, depth), other = expand(y, factor, depth);
    sum.terms.insert(sum.terms.end(), other.terms.begin(), other.terms.end());
    sum.cost += other.cost;
    return sum;
  }

  const Graph& graph_;
  const Uses& uses_;
  const std::vector<Inferred>& shapes_;
};

// [O, M, 3, 3] after [M, C, 1, 1]: [O, C, 3, 3]. Without a matrix M is C.
std::vector<double> composed(const Constant& filter, const Constant* matrix) {
  const auto weights = filter.as<float>();
  if (matrix == nullptr) return {weights.begin(), weights.end()};
  const auto inner = matrix->as<float>();
  const auto outputs = static_cast<size_t>(filter.shape[0]), middle = static_cast<size_t>(filter.shape[1]);
  const auto channels = static_cast<size_t>(matrix->shape[1]), taps = static_cast<size_t>(filter.shape[2] * filter.shape[3]);
  std::vector<double> result(outputs * channels * taps, 0.0);
  for (size_t o = 0; o < outputs; o++)
    for (size_t m = 0; m < middle; m++)
      for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < taps; t++)
          result[(o * channels + c) * taps + t] +=
              static_cast<double>(weights[(o * middle + m) * taps + t]) * static_cast<double>(inner[m * channels + c]);
  return result;
}

// One source per map and factor: terms of the same map are one convolution.
std::vector<UpsampledSource> sources_of(const Sum& sum, const Constant& filter) {
  std::vector<Term> terms = sum.terms;
  const auto key = [](const Term& term) { return std::pair(term.factor, term.value); };
  std::ranges::sort(terms, {}, key);
  std::vector<UpsampledSource> sources;
  for (size_t i = 0; i < terms.size();) {
    const Term& first = terms[i];
    std::vector<double> weights = composed(filter, first.matrix);
    for (i++; i < terms.size() && key(terms[i]) == key(first); i++)
      std::ranges::transform(weights, composed(filter, terms[i].matrix), weights.begin(), std::plus<>());
    const int64_t channels = first.matrix != nullptr ? first.matrix->shape[1] : filter.shape[1];
    const Shape shape{filter.shape[0], channels, filter.shape[2], filter.shape[3]};
    const std::vector<float> rounded(weights.begin(), weights.end());
    sources.push_back({first.value, first.factor, make_constant(rounded, shape)});
  }
  return sources;
}

}  // namespace

void factor_fpn(Graph& graph) {
  const std::vector<Inferred> shapes = probe_shapes(graph);
  if (shapes.empty()) return;
  rewrite(graph, [&](const Uses& uses, size_t n) {
    if (!is_same_conv(graph.nodes[n], graph, 3) || graph.nodes[n].precision != 1 || graph.nodes[n].tail != nullptr) return false;
    const ValueId input = graph.nodes[n].input("Input");
    const Sum sum = Expansion(graph, uses, shapes).expand(input, 1);
    if (sum.terms.size() == 1 && sum.terms[0].factor == 1) return false;
    auto sources = sources_of(sum, *graph.constant(graph.nodes[n].input("Filter")));
    graph.nodes[n] = over_upsampled(graph, Node(graph.nodes[n]), std::move(sources));
    return true;
  });
}

}  // namespace edgeocr::graph
