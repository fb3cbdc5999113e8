// Offsets of tensors in one arena, so that tensors which live at the same time do not overlap.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace edgeocr::graph {

// A tensor is alive in steps first … last, both included.
struct Lifetime {
  size_t bytes = 0;
  int first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // multiples of kAlignment, one per lifetime
  size_t arena_bytes = 0;
};

// Best fit, largest tensors first.
MemoryPlan plan_memory(std::span<const Lifetime> lifetimes);

}  // namespace edgeocr::graph
