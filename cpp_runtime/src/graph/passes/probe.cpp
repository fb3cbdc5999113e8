#include "graph/passes/probe.h"

#include <array>

#include "base/error.h"

namespace edgeocr::graph {

namespace {

// Height, width: detectors; recognisers of height 32 and 48; direction classifiers; backbones alone.
constexpr std::array<std::array<int64_t, 2>, 5> kSizes{{{640, 640}, {32, 320}, {48, 320}, {48, 192}, {224, 224}}};

// The feed shape with open dimensions filled in: batch 1; the last two as given.
Shape filled(const Shape& feed, const std::array<int64_t, 2>& size) {
  Shape shape = feed;
  for (int i = 0; i < shape.rank(); i++) {
    if (shape[i] > 0) continue;
    const int from_end = shape.rank() - i;
    shape[i] = from_end == 1 ? size[1] : from_end == 2 && shape.rank() > 2 ? size[0] : 1;
  }
  return shape;
}

}  // namespace

std::vector<Inferred> probe_shapes(const Graph& graph) {
  for (const auto& size : kSizes) {
    std::vector<Shape> shapes;
    for (const Shape& feed : graph.feed_shapes) shapes.push_back(filled(feed, size));
    try {
      return infer(graph, shapes);
    } catch (const Error&) {
      continue;  // not a size of this net
    }
  }
  return {};
}

}  // namespace edgeocr::graph
