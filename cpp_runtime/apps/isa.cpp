#include "isa.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#include <cstdint>
#endif

namespace edgeocr {

#if defined(__aarch64__)

const char* architecture() { return "aarch64"; }

std::vector<std::string> isa_features() {
  // Linux's asm/hwcap.h, stated here since older headers lack the newer ones.
  struct Feature {
    unsigned long type;
    int bit;
    const char* name;
  };
  constexpr Feature kFeatures[] = {{AT_HWCAP, 1, "asimd"}, {AT_HWCAP, 10, "asimdhp"}, {AT_HWCAP, 20, "asimddp"}, {AT_HWCAP, 22, "sve"},
                                   {AT_HWCAP2, 1, "sve2"}, {AT_HWCAP2, 13, "i8mm"},   {AT_HWCAP2, 14, "bf16"}};
  std::vector<std::string> names;
  for (const Feature& feature : kFeatures) {
    if (getauxval(feature.type) >> feature.bit & 1) names.emplace_back(feature.name);
  }
  return names;
}

#elif defined(__x86_64__)

namespace {

// Register state that the operating system saves: bits of XCR0.
uint64_t saved_state() {
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

}  // namespace

const char* architecture() { return "x86_64"; }

std::vector<std::string> isa_features() {
  constexpr uint64_t kAvxState = 0x6, kAvx512State = 0xe6;
  std::vector<std::string> names;
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return names;
  const auto add = [&](uint32_t reg, int bit, const char* name) {
    if (reg >> bit & 1) names.emplace_back(name);
  };
  add(c, 20, "sse4_2");
  const bool has_xsave = c >> 27 & 1;
  const uint64_t state = has_xsave ? saved_state() : 0;
  if ((state & kAvxState) != kAvxState) return names;
  add(c, 28, "avx");
  add(c, 12, "fma");
  add(c, 29, "f16c");
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return names;
  add(b, 5, "avx2");
  if ((state & kAvx512State) != kAvx512State) return names;
  add(b, 16, "avx512f");
  add(b, 30, "avx512bw");
  add(b, 31, "avx512vl");
  add(c, 11, "avx512_vnni");
  return names;
}

#endif

}  // namespace edgeocr
