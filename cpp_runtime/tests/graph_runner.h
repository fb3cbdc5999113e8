// Runs a graph, for tests that compare it before and after a pass, or with other kernels.
#pragma once

#include <memory>
#include <vector>

#include "base/aligned.h"
#include "graph/operators.h"
#include "graph/plan.h"
#include "kernel_harness.h"

namespace edgeocr::test {

using KernelSets = std::span<const std::span<const kernels::KernelEntry>>;

inline KernelSets plain_sets() {
  static const std::span<const kernels::KernelEntry> sets[] = {kernels::generic_set()};
  return sets;
}

// The graph's outputs for these inputs, as views into memory that the Run keeps.
class GraphRun {
 public:
  GraphRun(const graph::Graph& graph, const std::vector<kernel_test::Dense<float>>& inputs, KernelSets sets = plain_sets()) {
    const std::vector<bool> evaluated = graph::evaluated_nodes(graph);
    std::vector<std::unique_ptr<kernels::Kernel>> made;
    std::vector<const kernels::Kernel*> pointers;
    for (size_t n = 0; n < graph.nodes.size(); n++) {
      made.push_back(evaluated[n] ? nullptr : kernels::create_kernel(graph.nodes[n], graph, sets));
      pointers.push_back(made.back().get());
    }
    std::vector<Shape> shapes;
    for (const auto& input : inputs) shapes.push_back(input.shape);
    graph::Plan plan(graph, shapes, pointers, 1);
    arena_ = allocate_aligned(plan.arena_bytes(), "arena");
    const auto scratch = allocate_aligned(plan.scratch_bytes(), "scratch");
    plan.bind(arena_.get());
    for (size_t i = 0; i < inputs.size(); i++) {
      const TensorView view = plan.input(i);
      kernels::generic::copy_strided(view.shape, sizeof(float), inputs[i].data.data(), kernels::generic::row_major_strides(view.shape),
                                     view.data, kernels::generic::strides_of(view));
    }
    for (const graph::Step& step : plan.steps()) step.kernel->run({kernel_test::pool(1), scratch.get()}, step.inputs, step.outputs);
    for (size_t i = 0; i < graph.outputs.size(); i++) outputs_.push_back(plan.output(i));
  }

  kernel_test::Dense<float> output(size_t i = 0) const {
    kernel_test::Dense<float> dense(outputs_[i].shape);
    kernels::generic::copy_strided(dense.shape, sizeof(float), outputs_[i].data, kernels::generic::strides_of(outputs_[i]),
                                   dense.data.data(), kernels::generic::row_major_strides(dense.shape));
    return dense;
  }

 private:
  std::shared_ptr<std::byte> arena_;
  std::vector<TensorView> outputs_;
};

}  // namespace edgeocr::test
