#include <array>

#include "base/error.h"
#include "base/error_name.h"
#include "kernels/kernel.h"

namespace edgeocr::kernels {

std::span<const std::span<const KernelEntry>> kernel_sets() {
  static const std::array sets{generic_set()};
  return sets;
}

std::unique_ptr<Kernel> create_kernel(const graph::Node& node, const graph::Graph& graph,
                                      std::span<const std::span<const KernelEntry>> sets) {
  for (const auto& set : sets)
    for (const KernelEntry& entry : set) {
      if (entry.op != node.op || (entry.accepts != nullptr && !entry.accepts(node, graph))) continue;
      return with_name(graph.name, [&] { return entry.create(node, graph); });
    }
  fail("%s: operator %s is not supported", graph.name.c_str(), node.label().c_str());
}

}  // namespace edgeocr::kernels
