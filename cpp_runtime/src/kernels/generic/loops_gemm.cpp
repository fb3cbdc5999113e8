// Matrix products over packed weights: a register tile of pixels by 16 (or 8) columns, k innermost and in order.
#include "kernels/generic/loops_isa.h"
#include "kernels/generic/simd.h"

namespace edgeocr::kernels::generic {
inline namespace EDGEOCR_ISA {

namespace {

template <int P, int V> inline void tile_f32(const float* a, ptrdiff_t lda, const float* w, int64_t k, float* out, ptrdiff_t ldo) {
  f32x8 sum[P][V] = {};
  for (int64_t i = 0; i < k; i++, w += 8 * V) {
    f32x8 columns[V];
    for (int v = 0; v < V; v++) columns[v] = load<f32x8>(w + 8 * v);
    for (int p = 0; p < P; p++) {
      const f32x8 x = a[p * lda + i];
      for (int v = 0; v < V; v++) sum[p][v] = multiply_add(sum[p][v], columns[v], x);
    }
  }
  for (int p = 0; p < P; p++)
    for (int v = 0; v < V; v++) store(out + p * ldo + 8 * v, sum[p][v]);
}

template <int P, int V> inline void tile_i8(const GemmInt* a, ptrdiff_t lda, const GemmInt* w, int64_t k, int32_t* out, ptrdiff_t ldo) {
  i32x8 sum[P][V] = {};
  for (int64_t i = 0; i < k; i += kGroup, w += 8 * V * kGroup)
    for (int p = 0; p < P; p++)
      for (int v = 0; v < V; v++) sum[p][v] = dot(sum[p][v], w + 8 * kGroup * v, a + p * lda + i);
  for (int p = 0; p < P; p++)
    for (int v = 0; v < V; v++) store(out + p * ldo + 8 * v, sum[p][v]);
}

struct TileF32 {
  using In = float;
  using Out = float;
  template <int P, int V> static void run(const In* a, ptrdiff_t lda, const In* w, int64_t k, Out* out, ptrdiff_t ldo) {
    tile_f32<P, V>(a, lda, w, k, out, ldo);
  }
};
struct TileI8 {
  using In = GemmInt;
  using Out = int32_t;
  template <int P, int V> static void run(const In* a, ptrdiff_t lda, const In* w, int64_t k, Out* out, ptrdiff_t ldo) {
    tile_i8<P, V>(a, lda, w, k, out, ldo);
  }
};

// The last, smaller tile of a block.
template <class Tile, int P, int V>
void rest(const typename Tile::In* a, ptrdiff_t lda, int64_t pixels, const typename Tile::In* w, int64_t k, typename Tile::Out* out,
          ptrdiff_t ldo) {
  if constexpr (P > 0) {
    if (pixels == P) return Tile::template run<P, V>(a, lda, w, k, out, ldo);
    rest<Tile, P - 1, V>(a, lda, pixels, w, k, out, ldo);
  }
}

template <class Tile, int V>
void block(const typename Tile::In* a, ptrdiff_t lda, int64_t pixels, const typename Tile::In* w, int64_t k, typename Tile::Out* out,
           ptrdiff_t ldo) {
  for (; pixels >= kTile; pixels -= kTile, a += kTile * lda, out += kTile * ldo) Tile::template run<kTile, V>(a, lda, w, k, out, ldo);
  rest<Tile, kTile - 1, V>(a, lda, pixels, w, k, out, ldo);
}

template <class Tile>
void gemm(const typename Tile::In* a, ptrdiff_t lda, int64_t pixels, const typename Tile::In* w, int64_t k, int64_t n,
          typename Tile::Out* out, ptrdiff_t ldo) {
  for (; n > kHalfBlock; n -= kBlock, w += k * kBlock, out += kBlock) block<Tile, 2>(a, lda, pixels, w, k, out, ldo);
  if (n > 0) block<Tile, 1>(a, lda, pixels, w, k, out, ldo);
}

}  // namespace

void gemm_f32(const float* a, ptrdiff_t lda, int64_t pixels, const float* w, int64_t k, int64_t n, float* out, ptrdiff_t ldo) {
  gemm<TileF32>(a, lda, pixels, w, k, n, out, ldo);
}

void gemm_i8(const void* a, ptrdiff_t lda, int64_t pixels, const void* w, int64_t k, int64_t n, int32_t* out, ptrdiff_t ldo) {
  gemm<TileI8>(static_cast<const GemmInt*>(a), lda, pixels, static_cast<const GemmInt*>(w), k, n, out, ldo);
}

int group_i8() { return kGroup; }

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::generic
