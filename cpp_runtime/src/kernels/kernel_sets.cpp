#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/error_name.h"
#include "graph/precision.h"
#include "kernels/kernel.h"
#include "kernels/processor.h"
#if defined(__aarch64__)
#include "kernels/neon/neon.h"
#elif defined(__x86_64__)
#include "kernels/x86/x86.h"
#endif

namespace edgeocr::kernels {

std::span<const std::span<const KernelEntry>> kernel_sets() {
  static const std::vector<std::span<const KernelEntry>> sets = [] {
    std::vector<std::span<const KernelEntry>> usable;
#if defined(__aarch64__)
    if (has_armv82_dotprod()) {
      usable.push_back(neon_fp16_set());
      usable.push_back(neon_set());
    }
#elif defined(__x86_64__)
    if (has_x86_64_v3()) usable.push_back(x86_set());
#endif
    usable.push_back(generic_set());
    return usable;
  }();
  return sets;
}

bool has_fp16() { return has_armv82_dotprod(); }

bool has_fp16_kernel(const graph::Node& node, const graph::Graph& graph) {
#if defined(__aarch64__)
  if (!has_fp16()) return false;
  return with_name(graph.name, [&] {
    return std::ranges::any_of(node.precision == graph::kFp16Precision ? neon_fp16_set() : neon_set(), [&](const KernelEntry& entry) {
      return entry.op == node.op && entry.accepts != nullptr && entry.accepts(node, graph);
    });
  });
#else
  (void)node, (void)graph;
  return false;
#endif
}

std::unique_ptr<Kernel> create_kernel(const graph::Node& node, const graph::Graph& graph,
                                      std::span<const std::span<const KernelEntry>> sets) {
  return with_name(graph.name, [&] {
    for (const auto& set : sets)
      for (const KernelEntry& entry : set)
        if (entry.op == node.op && (entry.accepts == nullptr || entry.accepts(node, graph))) return entry.create(node, graph);
    fail("operator %s is not supported", node.label().c_str());
  });
}

}  // namespace edgeocr::kernels
