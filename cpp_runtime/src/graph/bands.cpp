#include "graph/bands.h"

#include <algorithm>
#include <optional>

#include "graph/precision.h"
#include "graph/row_reach.h"

namespace edgeocr::graph {

namespace {

// Snapdragon 855's prime core has 512 KB of L2 and a share of 2 MB of L3.
constexpr size_t kL2Share = 384 << 10, kL3Share = 1 << 20;
// A map of fewer bytes is still there when the next step reads it.
constexpr size_t kKept = 256 << 10;
// What a call of a kernel costs besides its rows, in bytes from memory that take as long.
constexpr size_t kCall = 16 << 10;
// As long as a byte from memory take so many from L3.
constexpr size_t kL3Speed = 4;
// Rows of a band, at the last step.
constexpr int64_t kMostRows = 64, kFewestRows = 4;
// Of a group: all beginnings with all ends are tried, and what a group moves is counted step by step.
constexpr int kMostSteps = 64;

const Inferred& of(std::span<const Inferred> values, ValueId id) { return values[static_cast<size_t>(id)]; }
size_t bytes_of(const Inferred& value) { return dense_bytes(value.dtype, value.shape); }
bool is_map(const Inferred& value) { return value.shape.rank() == 4 && value.shape[0] == 1; }
int64_t round_up(int64_t rows, int64_t grain, int64_t height) { return std::min(height, (rows + grain - 1) / grain * grain); }

// One reading of a value by a step. reach: nothing where it needs all rows, as does the graph, which reads its outputs at the end.
struct Use {
  int step;
  std::optional<RowReach> reach;
};

// Who makes and reads each value that is computed.
class Flow {
 public:
  Flow(const Graph& graph, std::span<const BandStep> steps, std::span<const Inferred> values)
      : makers_(graph.values.size(), -1), uses_(graph.values.size()) {
    for (int s = 0; s < static_cast<int>(steps.size()); s++) {
      const BandStep& step = steps[static_cast<size_t>(s)];
      const Node& node = *step.node;
      for (size_t port = 0; port < node.inputs.size(); port++) {
        const ValueId id = node.inputs[port].value;
        if (id == kNoValue || of(values, id).known != nullptr) continue;
        uses_[static_cast<size_t>(id)].push_back({s, step.by_rows ? row_reach(node, port, values) : std::nullopt});
      }
      for (const Port& port : node.outputs)
        if (port.value != kNoValue) makers_[static_cast<size_t>(port.value)] = s;
    }
    for (ValueId id : graph.outputs) uses_[static_cast<size_t>(id)].push_back({static_cast<int>(steps.size()), std::nullopt});
  }

  int maker(ValueId id) const { return makers_[static_cast<size_t>(id)]; }
  std::span<const Use> uses(ValueId id) const { return uses_[static_cast<size_t>(id)]; }
  // Read by a step outside of first … end - 1, or an output of the graph.
  bool escapes(ValueId id, int first, int end) const {
    return std::ranges::any_of(uses(id), [&](const Use& use) { return use.step < first || use.step >= end; });
  }

 private:
  std::vector<int> makers_;
  std::vector<std::vector<Use>> uses_;
};

// Lets a group run in numbers, band by band.
class Simulation {
 public:
  Simulation(const Graph& graph, std::span<const BandStep> steps, std::span<const Inferred> values, const Flow& flow, int first, int end)
      : graph_(graph), steps_(steps), values_(values), flow_(flow) {
    group_.first = first;
    group_.end = end;
  }

  BandGroup run(int64_t rows) {
    if (!prepare()) return group_;
    const int64_t height = heights_.back(), bands = (height + rows - 1) / rows;
    for (int64_t band = 0; band < bands; band++) add_band(band + 1, bands, std::min(height, (band + 1) * rows));
    measure(bands);
    return group_;
  }

 private:
  const Node& node(size_t s) const { return *steps_[static_cast<size_t>(group_.first) + s].node; }
  size_t count() const { return heights_.size(); }

  bool prepare() {
    for (int s = group_.first; s < group_.end; s++) {
      const BandStep& step = steps_[static_cast<size_t>(s)];
      if (!step.by_rows) return false;
      std::optional<int64_t> height;
      bool read_inside = false;
      for (const Port& port : step.node->outputs) {
        if (port.value == kNoValue) continue;
        const Inferred& value = of(values_, port.value);
        if (!is_map(value) || value.shape[2] < 1 || (height && *height != value.shape[2])) return false;
        height = value.shape[2];
        for (const Use& use : flow_.uses(port.value)) read_inside |= use.step >= group_.first && use.step < group_.end;
        if (!flow_.escapes(port.value, group_.first, group_.end)) group_.tensors.push_back({port.value, 0});
      }
      if (!height) return false;
      heights_.push_back(*height);
      read_inside_.push_back(read_inside);
    }
    done_.assign(heights_.size(), 0);
    return find_sources();
  }

  // Whether all that the group's steps read is read by rows.
  bool find_sources() {
    sources_.resize(heights_.size());
    for (size_t s = 0; s < count(); s++)
      for (const Port& port : node(s).inputs) {
        if (port.value == kNoValue) continue;
        for (const Use& use : flow_.uses(port.value)) {
          if (use.step != group_.first + static_cast<int>(s)) continue;
          if (!use.reach) return false;
          const int maker = flow_.maker(port.value);
          if (maker >= group_.first) sources_[s].push_back({static_cast<size_t>(maker - group_.first), *use.reach});
        }
      }
    return true;
  }

  // `last_rows`: how far the last step gets; who has no reader in the group keeps pace with it.
  void add_band(int64_t number, int64_t bands, int64_t last_rows) {
    const bool finish = number == bands;
    std::vector<int64_t> target = done_;
    const auto reach = [&](size_t s, int64_t rows) { target[s] = std::max(target[s], round_up(rows, grain(s), heights_[s])); };
    reach(count() - 1, last_rows);
    for (size_t s = count(); s-- > 0;) {
      if (finish) target[s] = heights_[s];
      else if (!read_inside_[s]) reach(s, (heights_[s] * number + bands - 1) / bands);
      if (target[s] == done_[s]) continue;
      for (const Source& source : sources_[s]) reach(source.step, source.reach.of({done_[s], target[s]}).end);
    }
    Band band;
    for (size_t s = 0; s < count(); s++) band.steps.push_back({done_[s], target[s]});
    for (BandTensor& tensor : group_.tensors) {
      const int64_t from = first_needed(tensor.value);
      band.first_rows.push_back(from);
      tensor.rows = std::max(tensor.rows, target[maker_of(tensor)] - from);
    }
    group_.bands.push_back(std::move(band));
    done_ = std::move(target);
  }

  int64_t grain(size_t s) const { return steps_[static_cast<size_t>(group_.first) + s].row_grain; }
  size_t maker_of(const BandTensor& tensor) const { return static_cast<size_t>(flow_.maker(tensor.value) - group_.first); }

  // The first row of a value that a reader needs for the rows which it has not computed.
  int64_t first_needed(ValueId id) const {
    int64_t first = done_[static_cast<size_t>(flow_.maker(id) - group_.first)];
    for (const Use& use : flow_.uses(id)) {
      const auto s = static_cast<size_t>(use.step - group_.first);
      if (done_[s] == heights_[s]) continue;
      first = std::min(first, use.reach->of({done_[s], done_[s] + 1}).begin);
    }
    return first;
  }

  void measure(int64_t bands) {
    for (const BandTensor& tensor : group_.tensors) {
      const Inferred& value = of(values_, tensor.value);
      group_.working_set += bytes_of(value) / static_cast<size_t>(value.shape[2]) * static_cast<size_t>(tensor.rows);
    }
    for (size_t s = 0; s < count(); s++) {
      for (const Port& port : node(s).inputs) {
        if (port.value == kNoValue) continue;
        if (const Constant* constant = graph_.constant(port.value)) group_.working_set += constant->data.size();
        else if (flow_.maker(port.value) < group_.first)
          group_.working_set += bytes_of(of(values_, port.value)) / static_cast<size_t>(bands);
      }
      for (const Port& port : node(s).outputs)
        if (port.value != kNoValue && flow_.escapes(port.value, group_.first, group_.end))
          group_.working_set += bytes_of(of(values_, port.value)) / static_cast<size_t>(bands);
    }
  }

  const Graph& graph_;
  std::span<const BandStep> steps_;
  std::span<const Inferred> values_;
  const Flow& flow_;
  // A step of the group that another one reads.
  struct Source {
    size_t step;
    RowReach reach;
  };
  std::vector<std::vector<Source>> sources_;  // per step of the group
  std::vector<int64_t> heights_, done_;
  std::vector<bool> read_inside_;
  BandGroup group_;
};

// Bytes that the steps first … end - 1 exchange with memory if they keep what only they read.
size_t traffic(std::span<const BandStep> steps, std::span<const Inferred> values, const Flow& flow, int first, int end) {
  size_t bytes = 0;
  std::vector<ValueId> read;
  const auto count = [&](ValueId id) {
    const size_t size = bytes_of(of(values, id));
    if (size > kKept) bytes += size;
  };
  for (int s = first; s < end; s++) {
    const Node& node = *steps[static_cast<size_t>(s)].node;
    for (const Port& port : node.inputs) {
      if (port.value == kNoValue || std::ranges::find(read, port.value) != read.end()) continue;
      if (of(values, port.value).known != nullptr || (flow.maker(port.value) >= first && flow.maker(port.value) < end)) continue;
      read.push_back(port.value);
      count(port.value);
    }
    for (const Port& port : node.outputs)
      if (port.value != kNoValue && flow.escapes(port.value, first, end)) count(port.value);
  }
  return bytes;
}

// What a call of conv2d_over_upsampled does again, in bytes from memory that take as long: of each enlarged source, the products of the
// rows above and below its own.
size_t repeated_by_call(const Node& node, std::span<const Inferred> values) {
  if (node.op != "conv2d_over_upsampled") return 0;
  constexpr size_t kBytesPerCycle = 3, kMacsPerCycle = 8, kMacsPerCycleInt8 = 32;
  const std::vector<int64_t> factors = node.attr_ints("factors");
  int64_t macs = 0;
  for (int i = 0; i < static_cast<int>(factors.size()); i++) {
    if (factors[static_cast<size_t>(i)] == 1) continue;
    const Shape& filter = of(values, node.input("Filter", i)).shape;
    macs += 2 * filter.count() * of(values, node.input("X", i)).shape[3];
  }
  return static_cast<size_t>(macs) * kBytesPerCycle / (node.precision == kInt8Precision ? kMacsPerCycleInt8 : kMacsPerCycle);
}

// A group, and what it costs in bytes from memory.
struct Offer {
  BandGroup group;
  size_t cost = SIZE_MAX;
  size_t fewest_bands = SIZE_MAX;  // with fewer, it does not fit
};

size_t cost_of_calls(const BandGroup& group, std::span<const BandStep> steps, std::span<const Inferred> values) {
  size_t cost = 0;
  for (size_t s = 0; s < group.bands[0].steps.size(); s++) {
    const auto calls = std::ranges::count_if(group.bands, [&](const Band& band) { return band.steps[s].begin < band.steps[s].end; });
    cost += static_cast<size_t>(calls) * (kCall + repeated_by_call(*steps[static_cast<size_t>(group.first) + s].node, values));
  }
  return cost;
}

// The number of rows that costs least, of fewest_bands or more; exchanged: traffic() of the steps. No bands: nothing fits.
Offer best_offer(const Graph& graph, std::span<const BandStep> steps, std::span<const Inferred> values, const Flow& flow, int first,
                 int end, size_t fewest_bands, size_t exchanged) {
  Offer best;
  const int64_t height = of(values, steps[static_cast<size_t>(end) - 1].node->outputs[0].value).shape[2];
  for (int64_t rows = kMostRows; rows >= kFewestRows; rows /= 2) {
    if (static_cast<size_t>((height + rows - 1) / rows) < fewest_bands) continue;
    BandGroup group = Simulation(graph, steps, values, flow, first, end).run(rows);
    if (group.bands.empty()) break;
    if (group.working_set > kL3Share) continue;
    best.fewest_bands = std::min(best.fewest_bands, group.bands.size());
    size_t cost = exchanged + cost_of_calls(group, steps, values);
    if (group.working_set > kL2Share)
      for (const BandTensor& tensor : group.tensors) cost += bytes_of(of(values, tensor.value)) / kL3Speed;
    if (cost < best.cost) best = {std::move(group), cost, best.fewest_bands};
  }
  return best;
}

}  // namespace

BandGroup make_band_group(const Graph& graph, std::span<const BandStep> steps, std::span<const Inferred> values, int first, int end,
                          int64_t rows) {
  return Simulation(graph, steps, values, Flow(graph, steps, values), first, end).run(rows);
}

std::vector<BandGroup> choose_band_groups(const Graph& graph, std::span<const BandStep> steps, std::span<const Inferred> values) {
  const Flow flow(graph, steps, values);
  const int count = static_cast<int>(steps.size());
  // The least traffic of the steps before each one, and the group that ends there, if one does.
  std::vector<size_t> least(static_cast<size_t>(count) + 1, SIZE_MAX);
  std::vector<std::optional<BandGroup>> group_before(static_cast<size_t>(count) + 1);
  least[0] = 0;
  for (int first = 0; first < count; first++) {
    const size_t before = least[static_cast<size_t>(first)];
    const auto take = [&](int end, size_t cost, std::optional<BandGroup> group) {
      if (before + cost >= least[static_cast<size_t>(end)]) return;
      least[static_cast<size_t>(end)] = before + cost;
      group_before[static_cast<size_t>(end)] = std::move(group);
    };
    const auto alone = [&](int step) {
      return traffic(steps, values, flow, step, step + 1) + kCall + repeated_by_call(*steps[static_cast<size_t>(step)].node, values);
    };
    size_t separately = alone(first);
    take(first + 1, separately, std::nullopt);
    size_t fewest_bands = 1;  // a longer group needs no fewer than a shorter one
    for (int end = first + 2; end <= std::min(count, first + kMostSteps) && steps[static_cast<size_t>(end) - 1].by_rows; end++) {
      separately += alone(end - 1);
      const size_t exchanged = traffic(steps, values, flow, first, end);
      if (exchanged + static_cast<size_t>(end - first) * kCall >= separately) continue;
      Offer offer = best_offer(graph, steps, values, flow, first, end, fewest_bands, exchanged);
      if (offer.group.bands.empty()) break;
      fewest_bands = offer.fewest_bands;
      take(end, offer.cost, std::move(offer.group));
    }
  }
  std::vector<BandGroup> groups;
  for (int end = count; end > 0;) {
    std::optional<BandGroup>& group = group_before[static_cast<size_t>(end)];
    const int first = group ? group->first : end - 1;
    if (group) groups.push_back(std::move(*group));
    end = first;
  }
  std::ranges::reverse(groups);
  return groups;
}

}  // namespace edgeocr::graph
