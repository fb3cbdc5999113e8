#include "graph/memory_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/aligned.h"

namespace edgeocr::graph {

namespace {

struct Block {
  size_t begin, end;
};

// The smallest gap between `taken` (sorted by begin, possibly overlapping) that holds `bytes`; behind all if there is none.
size_t best_fit(std::span<const Block> taken, size_t bytes) {
  size_t best = 0, best_gap = std::numeric_limits<size_t>::max(), free_from = 0;
  for (const Block& block : taken) {
    if (block.begin > free_from) {
      size_t gap = block.begin - free_from;
      if (gap >= bytes && gap < best_gap) best = free_from, best_gap = gap;
    }
    free_from = std::max(free_from, block.end);
  }
  return best_gap == std::numeric_limits<size_t>::max() ? free_from : best;
}

}  // namespace

MemoryPlan plan_memory(std::span<const Lifetime> lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t i) { return lifetimes[i].bytes; });

  MemoryPlan plan{std::vector<size_t>(lifetimes.size(), 0), 0};
  std::vector<Block> taken;
  for (size_t rank = 0; rank < order.size(); rank++) {
    const Lifetime& mine = lifetimes[order[rank]];
    taken.clear();
    for (size_t i : std::span(order).first(rank))
      if (lifetimes[i].first <= mine.last && mine.first <= lifetimes[i].last)
        taken.push_back({plan.offsets[i], plan.offsets[i] + align_up(lifetimes[i].bytes)});
    std::ranges::sort(taken, {}, &Block::begin);
    size_t bytes = align_up(mine.bytes);
    plan.offsets[order[rank]] = best_fit(taken, bytes);
    plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[order[rank]] + bytes);
  }
  return plan;
}

}  // namespace edgeocr::graph
