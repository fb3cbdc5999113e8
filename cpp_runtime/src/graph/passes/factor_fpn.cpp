#include "graph/passes/factor_fpn.h"

#include <algorithm>

#include "graph/passes/convolution.h"
#include "graph/passes/linear_expansion.h"
#include "graph/passes/over_upsampled.h"
#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

// What adding up the products of an upsampled source costs per output, in multiply-adds, with the kernels for the A76.
constexpr double kUpsampledSum = 19;

// A summand of a 3x3 convolution's input: `value` upsampled, through `matrix` [M, C] (a 1x1 filter) if there is one.
struct Term {
  ValueId value = kNoValue;
  int factor = 1;
  const Constant* matrix = nullptr;
};
using Sum = LinearSum<Term>;

class Expansion : public LinearExpansion<Term> {
 public:
  Expansion(const Graph& graph, const Uses& uses, const std::vector<Inferred>& shapes)
      : LinearExpansion(graph, uses, shapes, kUpsampledSum) {}

 private:
  Sum as_it_is(ValueId value, int factor) const override { return of_term({value, factor, nullptr}); }

  Sum through_matrix(const Node& node, int factor) const override {
    if (!is_same_conv(node, graph_, 1) || node.precision != kFp32Precision || node.input("Bias") != kNoValue || has_activation(node))
      return {};
    return of_term({node.input("Input"), factor, graph_.constant(node.input("Filter"))});
  }
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
    if (!is_same_conv(graph.nodes[n], graph, 3) || graph.nodes[n].precision != kFp32Precision || graph.nodes[n].tail != nullptr)
      return false;
    const ValueId input = graph.nodes[n].input("Input");
    const Sum sum = Expansion(graph, uses, shapes).expand(input, 1);
    if (sum.terms.size() == 1 && sum.terms[0].factor == 1) return false;
    auto sources = sources_of(sum, *graph.constant(graph.nodes[n].input("Filter")));
    graph.nodes[n] = over_upsampled(graph, Node(graph.nodes[n]), std::move(sources));
    return true;
  });
}

}  // namespace edgeocr::graph
