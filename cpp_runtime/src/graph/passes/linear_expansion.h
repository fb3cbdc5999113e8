// What a 3x3 convolution over a detector's pyramid is linear in: the maps behind additions, nearest upsamplings and 1x1 convolutions.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/passes/convolution.h"
#include "graph/passes/rewrite.h"

namespace edgeocr::graph {

// Summands of the convolution's input; none: it cannot be written as such a sum.
template <class Term> struct LinearSum {
  std::vector<Term> terms;
  double cost = 0;  // multiply-adds per output element
};

// Finds the cheapest sum. What a term is, and what it costs to add up the products of an upsampled one, the pass says that derives from it.
template <class Term> class LinearExpansion {
 public:
  using Sum = LinearSum<Term>;

  // `upsampled_sum`: per output, in multiply-adds, with the kernels for the A76.
  LinearExpansion(const Graph& graph, const Uses& uses, const std::vector<Inferred>& shapes, double upsampled_sum)
      : graph_(graph), uses_(uses), shapes_(shapes), upsampled_sum_(upsampled_sum) {}
  virtual ~LinearExpansion() = default;

  // The cheapest way found to convolve `value`, upsampled by `factor`.
  Sum expand(ValueId value, int factor, int depth = 0) const {
    Sum whole = as_it_is(value, factor);
    const int maker = uses_.producer(value);
    if (maker < 0 || depth == kMostNested) return whole;
    Sum parts = expand_node(graph_.nodes[static_cast<size_t>(maker)], factor, depth + 1);
    return !parts.terms.empty() && (whole.terms.empty() || parts.cost <= kWorthwhile * whole.cost) ? parts : whole;
  }

 protected:
  // The map itself.
  virtual Sum as_it_is(ValueId value, int factor) const = 0;
  // The input of `node`, if that is a 1x1 convolution, without bias and activation, to be composed with; else no terms.
  virtual Sum through_matrix(const Node& node, int factor) const = 0;

  int64_t channels(ValueId value) const { return shape(value)[1]; }
  Sum of_term(const Term& term) const {
    const double area = static_cast<double>(term.factor) * term.factor;
    return {{term}, kTaps * static_cast<double>(channels(term.value)) / area + (term.factor > 1 ? upsampled_sum_ : 0)};
  }

  const Graph& graph_;
  const Uses& uses_;

 private:
  static constexpr int kMostUpsampling = 16;
  static constexpr int kMostNested = 12;  // additions and upsamplings behind each other
  static constexpr double kWorthwhile = 0.75;
  static constexpr double kTaps = 9;

  const Shape& shape(ValueId value) const { return shapes_[static_cast<size_t>(value)].shape; }
  bool is_map(ValueId value) const { return graph_.constant(value) == nullptr && shape(value).rank() == 4; }

  Sum expand_node(const Node& node, int factor, int depth) const {
    if (node.tail != nullptr) return {};
    if (node.op == "elementwise_add") return expand_addition(node, factor, depth);
    if (const int repeated = nearest_factor(node, graph_); repeated > 0 && repeated * factor <= kMostUpsampling)
      return expand(node.input("X"), repeated * factor, depth);
    return through_matrix(node, factor);
  }

  Sum expand_addition(const Node& node, int factor, int depth) const {
    const ValueId x = node.input("X"), y = node.input("Y");
    if (!is_map(x) || !is_map(y) || !(shape(x) == shape(y))) return {};
    Sum sum = expand(x, factor, depth), other = expand(y, factor, depth);
    if (sum.terms.empty() || other.terms.empty()) return {};
    sum.terms.insert(sum.terms.end(), other.terms.begin(), other.terms.end());
    sum.cost += other.cost;
    return sum;
  }

  const std::vector<Inferred>& shapes_;
  double upsampled_sum_;
};

}  // namespace edgeocr::graph
