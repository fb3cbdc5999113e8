#include "kernels/x86/inner_loops.h"

#include <array>

#include "kernels/processor.h"

namespace edgeocr::kernels::x86 {

const InnerLoops& inner_loops_x86_64_v3();
const InnerLoops& inner_loops_avx512_vnni();

namespace {

struct Levels {
  std::array<const InnerLoops*, 2> tables{};
  size_t count = 0;
};

Levels find_levels() {
  Levels levels;
  if (has_avx512_vnni()) levels.tables[levels.count++] = &inner_loops_avx512_vnni();
  if (has_x86_64_v3()) levels.tables[levels.count++] = &inner_loops_x86_64_v3();
  return levels;
}

const InnerLoops*& current() {
  static const InnerLoops* loops = usable_inner_loops().front();
  return loops;
}

}  // namespace

std::span<const InnerLoops* const> usable_inner_loops() {
  static const Levels levels = find_levels();
  return {levels.tables.data(), levels.count};
}

const InnerLoops& current_inner_loops() { return *current(); }

void use_inner_loops(const InnerLoops& loops) { current() = &loops; }

}  // namespace edgeocr::kernels::x86
