#include "kernels/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace edgeocr::kernels {

#if defined(__x86_64__)

namespace {

// Register sets that the operating system saves (XCR0); 0 where it cannot be asked.
unsigned saved_registers() {
  constexpr unsigned kOsxsave = 1u << 27;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsxsave) == 0) return 0;
  unsigned low = 0, high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool saves(unsigned registers) { return (saved_registers() & registers) == registers; }

}  // namespace

bool has_x86_64_v3() {
  constexpr unsigned kLeaf1 = 1u << 12 | 1u << 22 | 1u << 28 | 1u << 29;  // ecx: FMA, MOVBE, AVX, F16C
  constexpr unsigned kLeaf7 = 1u << 3 | 1u << 5 | 1u << 8;                // ebx: BMI1, AVX2, BMI2
  constexpr unsigned kExtended = 1u << 5;                                 // ecx: LZCNT
  constexpr unsigned kSseAndAvx = 6;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kLeaf1) != kLeaf1) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (ebx & kLeaf7) != kLeaf7) return false;
  if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kExtended) != kExtended) return false;
  return saves(kSseAndAvx);
}

bool has_avx512_vnni() {
  constexpr unsigned kLeaf7b = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;  // ebx: AVX512F, DQ, CD, BW, VL
  constexpr unsigned kLeaf7c = 1u << 11;                                              // ecx: AVX512_VNNI
  constexpr unsigned kMasksAndWide = 6 | 0xe0;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!has_x86_64_v3() || __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (ebx & kLeaf7b) == kLeaf7b && (ecx & kLeaf7c) == kLeaf7c && saves(kMasksAndWide);
}

bool has_armv82_dotprod() { return false; }

#else

bool has_x86_64_v3() { return false; }
bool has_avx512_vnni() { return false; }

#if defined(__aarch64__) && defined(__linux__)
bool has_armv82_dotprod() {
  constexpr unsigned long kFpHalf = 1ul << 9, kSimdHalf = 1ul << 10, kDotProduct = 1ul << 20;  // HWCAP_FPHP, _ASIMDHP, _ASIMDDP
  constexpr unsigned long kAll = kFpHalf | kSimdHalf | kDotProduct;
  return (getauxval(AT_HWCAP) & kAll) == kAll;
}
#else
bool has_armv82_dotprod() { return false; }
#endif

#endif

}  // namespace edgeocr::kernels
