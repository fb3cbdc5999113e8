#include "graph/passes/split_upsampled_concat.h"

#include <algorithm>
#include <cstring>

#include "base/aligned.h"
#include "graph/passes/convolution.h"
#include "graph/passes/over_upsampled.h"
#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"

namespace edgeocr::graph {

namespace {

// Input channels [first, first + count) of an OIHW filter.
std::shared_ptr<const Constant> filter_channels(const Constant& filter, int64_t first, int64_t count) {
  const Shape& whole = filter.shape;
  const Shape part{whole[0], count, whole[2], whole[3]};
  const size_t channel = static_cast<size_t>(whole[2] * whole[3]) * size_of(filter.dtype);
  const size_t row = static_cast<size_t>(count) * channel;
  auto memory = allocate_aligned(static_cast<size_t>(whole[0]) * row, "filter");
  for (int64_t o = 0; o < whole[0]; o++)
    std::memcpy(memory.get() + static_cast<size_t>(o) * row, filter.data.data() + static_cast<size_t>(o * whole[1] + first) * channel, row);
  std::span<const std::byte> data(memory.get(), static_cast<size_t>(whole[0]) * row);
  return std::make_shared<Constant>(Constant{filter.dtype, part, std::move(memory), data});
}

// The maps behind a concat of channels, with their upsamplings and their parts of the filter; empty if it is none, or if its
// channels are not the filter's.
std::vector<UpsampledSource> sources_of(const Graph& graph, const Uses& uses, const std::vector<Inferred>& shapes, const Node& concat,
                                        const Constant& filter) {
  if (concat.op != "concat" || concat.attr_int("axis", 0) != 1) return {};
  std::vector<UpsampledSource> sources;
  int64_t first = 0;
  for (ValueId value : concat.all_inputs("X")) {
    if (value == kNoValue || graph.constant(value) != nullptr) return {};
    const Shape& shape = shapes[static_cast<size_t>(value)].shape;
    if (shape.rank() != 4 || first + shape[1] > filter.shape[1]) return {};
    UpsampledSource source{value, 1, filter_channels(filter, first, shape[1])};
    first += shape[1];
    const int maker = uses.producer(value);
    const int factor = maker < 0 ? 0 : nearest_factor(graph.nodes[static_cast<size_t>(maker)], graph);
    if (factor > 0) source = {graph.nodes[static_cast<size_t>(maker)].input("X"), factor, std::move(source.filter)};
    sources.push_back(std::move(source));
  }
  return first == filter.shape[1] ? sources : std::vector<UpsampledSource>{};
}

}  // namespace

void split_upsampled_concat(Graph& graph) {
  const std::vector<Inferred> shapes = probe_shapes(graph);
  if (shapes.empty()) return;
  rewrite(graph, [&](const Uses& uses, size_t n) {
    if (!is_same_conv(graph.nodes[n], graph, 3) || graph.nodes[n].tail != nullptr) return false;
    const ValueId input = graph.nodes[n].input("Input");
    const int joined = uses.producer(input);
    if (joined < 0 || uses.sole_reader(input) != static_cast<int>(n)) return false;
    const Constant& filter = *graph.constant(graph.nodes[n].input("Filter"));
    auto sources = sources_of(graph, uses, shapes, graph.nodes[static_cast<size_t>(joined)], filter);
    if (std::ranges::none_of(sources, [](const UpsampledSource& source) { return source.factor > 1; })) return false;
    graph.nodes[n] = over_upsampled(graph, Node(graph.nodes[n]), std::move(sources));
    take_out(graph.nodes[static_cast<size_t>(joined)]);
    return true;
  });
}

}  // namespace edgeocr::graph
