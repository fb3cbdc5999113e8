// A graph made ready for one set of input shapes: views, memory, steps. Nothing is left to decide or allocate when it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/tensor.h"
#include "base/thread_pool.h"
#include "graph/bands.h"
#include "graph/graph.h"
#include "graph/memory_plan.h"

namespace edgeocr::kernels { class Kernel; }

namespace edgeocr::graph {

struct Step {
  int node = 0;  // index in Graph::nodes
  const kernels::Kernel* kernel = nullptr;
  std::vector<TensorView> inputs, outputs;  // one per port of the node, see kernels/kernel.h
  int64_t macs = 0, bytes = 0;              // cost.h
  int64_t band_rows = 0;                    // most rows of its outputs that it computes at once; 0: all
};

class Plan {
 public:
  // `kernels` holds one kernel per node, null for the nodes of evaluated_nodes(); or it is empty (a plan to look at, without
  // scratch). Graph and kernels must outlive the plan. in_bands: groups of steps may work band by band (bands.h). Fails where the shapes
  // do not fit the graph.
  Plan(const Graph& graph, std::span<const Shape> input_shapes, std::span<const kernels::Kernel* const> kernels, int threads,
       bool in_bands = true);

  // Points every view into `arena`, which has arena_bytes() and the alignment kAlignment. Needed before the steps run, and
  // again when the arena moves.
  void bind(std::byte* arena);

  // Runs the steps; scratch has scratch_bytes() and the alignment kAlignment. step_ms: per step, what it took is added; empty: nothing is
  // measured.
  void run(ThreadPool& pool, std::byte* scratch, std::span<double> step_ms = {});

  const std::vector<Shape>& input_shapes() const { return input_shapes_; }
  const std::vector<Step>& steps() const { return steps_; }
  const TensorView& input(size_t index) const { return inputs_[index]; }
  const TensorView& output(size_t index) const { return outputs_[index]; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t scratch_bytes() const { return scratch_bytes_; }
  int64_t macs() const { return macs_; }

  // A computed tensor in the arena; graph inputs live through all steps, graph outputs to the end.
  struct Placement {
    ValueId value = kNoValue;
    Lifetime lifetime;
    size_t offset = 0;
  };
  const std::vector<Placement>& placements() const { return placements_; }

 private:
  // Where a step's view shows a map of which its group holds a few rows.
  struct RowsView {
    size_t tensor;  // of the group
    int step;
    bool output;
    size_t port;
  };

  void add_steps(std::span<const Inferred> values, std::span<const kernels::Kernel* const> kernels);
  void choose_groups(std::span<const Inferred> values);
  void find_rows_views();
  void run_group(size_t group, ThreadPool& pool, std::byte* scratch, std::span<double> step_ms);
  void start_band(size_t group, size_t band);
  void place(std::span<const Inferred> values);
  TensorView view_of(ValueId id, std::span<const Inferred> values);
  void measure_scratch(int threads);

  const Graph* graph_;
  std::vector<Shape> input_shapes_;
  std::vector<Step> steps_;
  std::vector<BandGroup> groups_;
  std::vector<std::vector<RowsView>> rows_views_;  // per group
  std::vector<TensorView> inputs_, outputs_;
  std::vector<Placement> placements_;
  std::vector<int> placement_of_;                      // per value, -1 = not in the arena
  std::vector<std::shared_ptr<const void>> contents_;  // of the values known from the shapes
  std::byte* arena_ = nullptr;
  size_t arena_bytes_ = 0, scratch_bytes_ = 0;
  int64_t macs_ = 0;
};

}  // namespace edgeocr::graph
