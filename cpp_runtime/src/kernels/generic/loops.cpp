#include "kernels/generic/loops.h"

#include <array>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace edgeocr::kernels::generic {

const Loops& loops_baseline();
#if defined(__x86_64__)
const Loops& loops_x86_64_v3();
#elif defined(__aarch64__)
const Loops& loops_armv82_dotprod();
#endif

namespace {

// x86-64-v3: AVX2, FMA, BMI (with the operating system saving the wide registers); armv8.2-a with dot products and fp16 arithmetic.
[[maybe_unused]] bool has_better_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("movbe") &&
         __builtin_cpu_supports("lzcnt");
#elif defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long kFpHalf = 1ul << 9, kSimdHalf = 1ul << 10, kDotProduct = 1ul << 20;  // HWCAP_FPHP, _ASIMDHP, _ASIMDDP
  constexpr unsigned long kAll = kFpHalf | kSimdHalf | kDotProduct;
  return (getauxval(AT_HWCAP) & kAll) == kAll;
#else
  return false;
#endif
}

struct Levels {
  std::array<const Loops*, 2> tables{};
  size_t count = 0;
};

Levels find_levels() {
  Levels levels;
#if defined(__x86_64__)
  if (has_better_level()) levels.tables[levels.count++] = &loops_x86_64_v3();
#elif defined(__aarch64__)
  if (has_better_level()) levels.tables[levels.count++] = &loops_armv82_dotprod();
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
