#include "kernels/generic/loops.h"

#include <array>

#include "kernels/processor.h"

namespace edgeocr::kernels::generic {

const Loops& loops_baseline();
#if defined(__x86_64__)
const Loops& loops_x86_64_v3();
#elif defined(__aarch64__) && defined(__linux__)
const Loops& loops_armv82_dotprod();
#endif

namespace {

struct Levels {
  std::array<const Loops*, 2> tables{};
  size_t count = 0;
};

Levels find_levels() {
  Levels levels;
#if defined(__x86_64__)
  if (has_x86_64_v3()) levels.tables[levels.count++] = &loops_x86_64_v3();
#elif defined(__aarch64__) && defined(__linux__)
  if (has_armv82_dotprod()) levels.tables[levels.count++] = &loops_armv82_dotprod();
#endif
  levels.tables[levels.count++] = &loops_baseline();
  return levels;
}

const Loops*& current() {
  static const Loops* loops = usable_loops().front();
  return loops;
}

}  // namespace

std::span<const Loops* const> usable_loops() {
  static const Levels levels = find_levels();
  return {levels.tables.data(), levels.count};
}

const Loops& current_loops() { return *current(); }

void use_loops(const Loops& loops) { current() = &loops; }

}  // namespace edgeocr::kernels::generic
