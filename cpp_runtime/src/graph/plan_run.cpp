// Running a plan: steps one after the other, groups band by band.
#include <chrono>
#include <cstring>

#include "graph/plan.h"
#include "kernels/kernel.h"

namespace edgeocr::graph {

namespace {

using Clock = std::chrono::steady_clock;

void run_step(const Step& step, const kernels::RunContext& context, double* ms) {
  if (ms == nullptr) return step.kernel->run(context, step.inputs, step.outputs);
  const Clock::time_point start = Clock::now();
  step.kernel->run(context, step.inputs, step.outputs);
  *ms += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

void Plan::find_rows_views() {
  for (const BandGroup& group : groups_) {
    std::vector<RowsView> found;
    for (size_t t = 0; t < group.tensors.size(); t++)
      for (int s = group.first; s < group.end; s++) {
        const Node& node = graph_->nodes[static_cast<size_t>(steps_[static_cast<size_t>(s)].node)];
        for (size_t i = 0; i < node.inputs.size(); i++)
          if (node.inputs[i].value == group.tensors[t].value) found.push_back({t, s, false, i});
        for (size_t i = 0; i < node.outputs.size(); i++)
          if (node.outputs[i].value == group.tensors[t].value) found.push_back({t, s, true, i});
      }
    rows_views_.push_back(std::move(found));
  }
}

// Drops the rows that are needed no more and points the views of the group's steps at what remains, so that row y of a map is where the
// whole map would have it.
void Plan::start_band(size_t group_index, size_t band_index) {
  const BandGroup& group = groups_[group_index];
  const Band& band = group.bands[band_index];
  for (const RowsView& at : rows_views_[group_index]) {
    Step& step = steps_[static_cast<size_t>(at.step)];
    TensorView& view = (at.output ? step.outputs : step.inputs)[at.port];
    const Placement& placement = placements_[static_cast<size_t>(placement_of_[static_cast<size_t>(group.tensors[at.tensor].value)])];
    std::byte* memory = arena_ + placement.offset;
    const auto row_bytes = view.row_stride * static_cast<int64_t>(size_of(view.dtype));
    const int64_t first = band.first_rows[at.tensor];
    if (at.output && band_index > 0) {
      const int64_t dropped = first - group.bands[band_index - 1].first_rows[at.tensor];
      const int64_t kept = band.steps[static_cast<size_t>(at.step - group.first)].begin - first;
      if (dropped > 0) std::memmove(memory, memory + dropped * row_bytes, static_cast<size_t>(kept * row_bytes));
    }
    view.data = memory - first * row_bytes;
  }
}

void Plan::run_group(size_t group_index, ThreadPool& pool, std::byte* scratch, std::span<double> step_ms) {
  const BandGroup& group = groups_[group_index];
  for (size_t b = 0; b < group.bands.size(); b++) {
    start_band(group_index, b);
    for (int s = group.first; s < group.end; s++) {
      const RowRange rows = group.bands[b].steps[static_cast<size_t>(s - group.first)];
      if (rows.begin == rows.end) continue;
      run_step(steps_[static_cast<size_t>(s)], {pool, scratch, rows}, step_ms.empty() ? nullptr : &step_ms[static_cast<size_t>(s)]);
    }
  }
}

void Plan::run(ThreadPool& pool, std::byte* scratch, std::span<double> step_ms) {
  size_t group = 0;
  for (int s = 0; s < static_cast<int>(steps_.size());) {
    if (group < groups_.size() && groups_[group].first == s) {
      run_group(group, pool, scratch, step_ms);
      s = groups_[group++].end;
    } else {
      run_step(steps_[static_cast<size_t>(s)], {pool, scratch}, step_ms.empty() ? nullptr : &step_ms[static_cast<size_t>(s)]);
      s++;
    }
  }
}

}  // namespace edgeocr::graph
