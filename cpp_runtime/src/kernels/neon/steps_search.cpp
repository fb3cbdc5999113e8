#include "kernels/neon/steps_search.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int64_t kShort = int64_t{1} << 30;  // products of two of them fit in 64 bits, with room

}  // namespace

int64_t first_multiple_within(int64_t a, int64_t m, int64_t low, int64_t high) {
  if (low == 0) return 0;
  if (a == 0) return -1;
  if (a > m / 2) return first_multiple_within(m - a, m, m - high, m - low);
  const int64_t x = (low + a - 1) / a;
  if (a * x <= high) return x;
  // a x - m y within [low, high]: m y mod a within [-high, -low] mod a, which has no multiple of a inside: a * x is the next.
  const int64_t y = first_multiple_within(m % a, a, a * x - high, a * x - low);
  if (y < 0) return -1;
  // (m y + low) / a, rounded up, of a product that may be longer than 64 bits.
  const int64_t whole = m / a * y;
  if (a <= kShort) return whole + (m % a * y + low + a - 1) / a;
  return whole + static_cast<int64_t>((static_cast<__int128>(m % a) * y + low + a - 1) / a);
}

int64_t find_start(int64_t m, int bits, int64_t low, int64_t width, int64_t reach) {
  const int64_t first = kFirstStart + reach, end = kEndOfStarts - reach, modulus = int64_t{1} << bits, mask = modulus - 1;
  if (first >= end || width < 0) return -1;
  if (width >= modulus - 1) return first;
  const int64_t from = (low - m * first) & mask;
  const int64_t to = from + width;
  const int64_t steps = to >= modulus ? 0 : first_multiple_within(m & mask, modulus, from, to);
  return steps < 0 || first + steps >= end ? -1 : first + steps;
}

}  // namespace edgeocr::kernels::neon
