#include "graph/plan.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/aligned.h"
#include "base/error.h"
#include "graph/cost.h"
#include "graph/operators.h"
#include "kernels/kernel.h"

namespace edgeocr::graph {

namespace {

constexpr size_t kMaxArenaBytes = size_t{4} << 30;

// Contents known from the shapes, in the layout of a computed tensor: row-major NCHW becomes a feature map.
std::shared_ptr<const void> to_map(const Constant& constant, TensorView& view) {
  auto memory = allocate_aligned(dense_bytes(constant.dtype, constant.shape), "constant");
  view = dense_view(constant.dtype, constant.shape, memory.get());
  const size_t size = size_of(constant.dtype);
  const std::byte* from = constant.data.data();
  const Shape& s = constant.shape;
  for (int64_t n = 0; n < s[0]; n++)
    for (int64_t c = 0; c < s[1]; c++)
      for (int64_t y = 0; y < s[2]; y++)
        for (int64_t x = 0; x < s[3]; x++, from += size) {
          int64_t at = n * view.batch_stride + y * view.row_stride + x * view.pixel_stride + c;
          std::memcpy(memory.get() + static_cast<size_t>(at) * size, from, size);
        }
  return memory;
}

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

}  // namespace

Plan::Plan(const Graph& graph, std::span<const Shape> input_shapes, std::span<const kernels::Kernel* const> kernels, int threads,
           bool in_bands)
    : graph_(&graph), input_shapes_(input_shapes.begin(), input_shapes.end()) {
  std::vector<Inferred> values = infer(graph, input_shapes);
  add_steps(values, kernels);
  if (in_bands && !kernels.empty()) choose_groups(values);
  place(values);
  for (Step& step : steps_) {
    const Node& node = graph.nodes[static_cast<size_t>(step.node)];
    for (const Port& port : node.inputs) step.inputs.push_back(view_of(port.value, values));
    for (const Port& port : node.outputs) step.outputs.push_back(view_of(port.value, values));
  }
  for (ValueId id : graph.inputs) inputs_.push_back(view_of(id, values));
  for (ValueId id : graph.outputs) outputs_.push_back(view_of(id, values));
  if (!kernels.empty()) measure_scratch(threads);
  find_rows_views();
}

// One step per node whose result is not already known.
void Plan::add_steps(std::span<const Inferred> values, std::span<const kernels::Kernel* const> kernels) {
  std::vector<bool> evaluated = evaluated_nodes(*graph_);
  for (size_t n = 0; n < graph_->nodes.size(); n++) {
    if (evaluated[n]) continue;
    const Node& node = graph_->nodes[n];
    Step step;
    step.node = static_cast<int>(n);
    step.kernel = kernels.empty() ? nullptr : kernels[n];
    step.macs = macs_of(node, values);
    step.bytes = bytes_of(node, values);
    macs_ = saturating_add(macs_, step.macs);
    steps_.push_back(std::move(step));
  }
}

void Plan::choose_groups(std::span<const Inferred> values) {
  std::vector<BandStep> band_steps;
  for (const Step& step : steps_)
    band_steps.push_back({&graph_->nodes[static_cast<size_t>(step.node)], step.kernel->by_rows(), step.kernel->row_grain()});
  groups_ = choose_band_groups(*graph_, band_steps, values);
  for (const BandGroup& group : groups_)
    for (const Band& band : group.bands)
      for (size_t s = 0; s < band.steps.size(); s++) {
        Step& step = steps_[static_cast<size_t>(group.first) + s];
        step.band_rows = std::max(step.band_rows, band.steps[s].end - band.steps[s].begin);
      }
}

void Plan::place(std::span<const Inferred> values) {
  placement_of_.assign(graph_->values.size(), -1);
  int end = static_cast<int>(steps_.size());
  // What a step of a group reads and writes lives as long as all of the group's steps.
  std::vector<std::array<int, 2>> span_of(steps_.size());
  for (int s = 0; s < end; s++) span_of[static_cast<size_t>(s)] = {s, s};
  std::vector<int64_t> rows_of(graph_->values.size(), -1);
  for (const BandGroup& group : groups_) {
    for (int s = group.first; s < group.end; s++) span_of[static_cast<size_t>(s)] = {group.first, group.end - 1};
    for (const BandTensor& tensor : group.tensors) rows_of[static_cast<size_t>(tensor.value)] = tensor.rows;
  }
  auto add = [&](ValueId id, int first, int last) {
    const Inferred& tensor = values[static_cast<size_t>(id)];
    Shape shape = tensor.shape;
    if (rows_of[static_cast<size_t>(id)] >= 0) shape[2] = rows_of[static_cast<size_t>(id)];
    placement_of_[static_cast<size_t>(id)] = static_cast<int>(placements_.size());
    placements_.push_back({id, {dense_bytes(tensor.dtype, shape), first, last}, 0});
  };
  auto extend = [&](ValueId id, int last) {
    int place = id == kNoValue ? -1 : placement_of_[static_cast<size_t>(id)];
    if (place >= 0)
      placements_[static_cast<size_t>(place)].lifetime.last = std::max(placements_[static_cast<size_t>(place)].lifetime.last, last);
  };

  for (ValueId id : graph_->inputs) add(id, 0, end);
  for (int s = 0; s < end; s++) {
    const Node& node = graph_->nodes[static_cast<size_t>(steps_[static_cast<size_t>(s)].node)];
    const auto [first, last] = span_of[static_cast<size_t>(s)];
    for (const Port& port : node.inputs) extend(port.value, last);
    for (const Port& port : node.outputs)
      if (port.value != kNoValue) add(port.value, first, last);
  }
  for (ValueId id : graph_->outputs) extend(id, end);

  std::vector<Lifetime> lifetimes;
  for (const Placement& placement : placements_) lifetimes.push_back(placement.lifetime);
  MemoryPlan memory = plan_memory(lifetimes);
  for (size_t i = 0; i < placements_.size(); i++) placements_[i].offset = memory.offsets[i];
  arena_bytes_ = memory.arena_bytes;
  if (arena_bytes_ > kMaxArenaBytes)
    fail("%s: an input of %s needs %zu bytes of memory, expected at most %zu: use a smaller input", graph_->name.c_str(),
         input_shapes_[0].str().c_str(), arena_bytes_, kMaxArenaBytes);
}

// The one place that decides how a tensor lies in memory.
TensorView Plan::view_of(ValueId id, std::span<const Inferred> values) {
  if (id == kNoValue) return {};
  const Inferred& tensor = values[static_cast<size_t>(id)];
  if (placement_of_[static_cast<size_t>(id)] >= 0) return dense_view(tensor.dtype, tensor.shape, nullptr);
  TensorView view{tensor.dtype, tensor.shape, const_cast<std::byte*>(tensor.known->data.data())};
  bool from_file = graph_->constant(id) != nullptr;
  if (!from_file && view.is_map()) contents_.push_back(to_map(*tensor.known, view));
  else if (!from_file) contents_.push_back(tensor.known->owner);
  return view;
}

void Plan::measure_scratch(int threads) {
  for (const Step& step : steps_) scratch_bytes_ = std::max(scratch_bytes_, step.kernel->scratch_bytes(step.inputs, step.outputs, threads));
}

void Plan::bind(std::byte* arena) {
  if (arena == arena_) return;
  arena_ = arena;
  auto point = [&](TensorView& view, ValueId id) {
    int place = id == kNoValue ? -1 : placement_of_[static_cast<size_t>(id)];
    if (place >= 0) view.data = arena + placements_[static_cast<size_t>(place)].offset;
  };
  for (Step& step : steps_) {
    const Node& node = graph_->nodes[static_cast<size_t>(step.node)];
    for (size_t i = 0; i < step.inputs.size(); i++) point(step.inputs[i], node.inputs[i].value);
    for (size_t i = 0; i < step.outputs.size(); i++) point(step.outputs[i], node.outputs[i].value);
  }
  for (size_t i = 0; i < inputs_.size(); i++) point(inputs_[i], graph_->inputs[i]);
  for (size_t i = 0; i < outputs_.size(); i++) point(outputs_[i], graph_->outputs[i]);
}

}  // namespace edgeocr::graph
