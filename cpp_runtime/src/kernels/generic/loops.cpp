#include "kernels/generic/loops.h"

#include <array>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace edgeocr::kernels::generic {

const Loops& loops_baseline();
#if defined(__x86_64__)
const Loops& loops_x86_64_v3();
#elif defined(__aarch64__) && defined(__linux__)
const Loops& loops_armv82_dotprod();
#endif

namespace {

#if defined(__x86_64__)
// x86-64-v3 (AVX2, FMA, BMI and their like), and an operating system that saves the wide registers.
bool has_better_level() {
  constexpr unsigned kLeaf1 = 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29;  // ecx: FMA, MOVBE, OSXSAVE, AVX, F16C
  constexpr unsigned kLeaf7 = 1u << 3 | 1u << 5 | 1u << 8;                           // ebx: BMI1, AVX2, BMI2
  constexpr unsigned kExtended = 1u << 5;                                            // ecx: LZCNT
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kLeaf1) != kLeaf1) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (ebx & kLeaf7) != kLeaf7) return false;
  if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kExtended) != kExtended) return false;
  unsigned low = 0, high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kSseAndAvx = 6;
  return (low & kSseAndAvx) == kSseAndAvx;
}
#elif defined(__aarch64__) && defined(__linux__)
// armv8.2-a with dot products and fp16 arithmetic.
bool has_better_level() {
  constexpr unsigned long kFpHalf = 1ul << 9, kSimdHalf = 1ul << 10, kDotProduct = 1ul << 20;  // HWCAP_FPHP, _ASIMDHP, _ASIMDDP
  constexpr unsigned long kAll = kFpHalf | kSimdHalf | kDotProduct;
  return (getauxval(AT_HWCAP) & kAll) == kAll;
}
#endif

struct Levels {
  std::array<const Loops*, 2> tables{};
  size_t count = 0;
};

Levels find_levels() {
  Levels levels;
#if defined(__x86_64__)
  if (has_better_level()) levels.tables[levels.count++] = &loops_x86_64_v3();
#elif defined(__aarch64__) && defined(__linux__)
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
