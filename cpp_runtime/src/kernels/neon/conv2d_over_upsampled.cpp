// conv2d_over_upsampled, fp32 and fp16: NEON's loops in kernels/floating's kernel.
#include "kernels/floating/conv2d_over_upsampled.h"

#include "kernels/neon/float_kernels.h"
#include "kernels/neon/float_set.h"

namespace edgeocr::kernels::neon {

namespace {

// expand and spread are not inlined: amid the rest of a row's work their addresses would not all stay in registers.
template <class T> struct UpsampledLoops {
  using V = Vec<T>;

  static void subtract(const T* a, const T* b, int64_t n, T* out) {
    const auto zero = V::broadcast(0);
    for (int64_t i = 0; i < n; i += V::kLanes)
      V::store(out + i, (a == nullptr ? zero : V::load(a + i)) - (b == nullptr ? zero : V::load(b + i)));
  }

  static void expand(const floating::ExpandedRow<T>& row) { return row.boundary ? expand<true>(row) : expand<false>(row); }
  template <bool Boundary> [[gnu::noinline]] static void expand(const floating::ExpandedRow<T>& given) {
    const floating::ExpandedRow<T> row = given;  // which no store can change
    const int64_t n = row.lanes;
    for (int64_t x = 0; x < row.width; x++) {
      const T *plain = row.plain + x * n, *left = row.along + x * 2 * n, *right = row.along + (x + 1) * 2 * n + n;
      const T *between = row.between + x * 2 * n, *both_left = row.both + x * 4 * n, *both_right = row.both + (x + 1) * 4 * n + n;
      T* out = row.out + x * 3 * n;
      for (int64_t i = 0; i < n; i += V::kLanes) {
        auto middle = V::load(plain + i), first = V::load(left + i), last = V::load(right + i);
        if constexpr (Boundary) {
          middle = middle + V::load(between + i);
          first = first + V::load(both_left + i);
          last = last + V::load(both_right + i);
        }
        V::store(out + i, middle + first);
        V::store(out + n + i, middle);
        V::store(out + 2 * n + i, middle + last);
      }
    }
  }

  static void spread(const T* expanded, int64_t width, int64_t factor, int64_t lanes, bool add, T* sums) {
    return add ? spread<true>(expanded, width, factor, lanes, sums) : spread<false>(expanded, width, factor, lanes, sums);
  }
  template <bool Add> [[gnu::noinline]] static void spread(const T* expanded, int64_t width, int64_t factor, int64_t lanes, T* sums) {
    for (int64_t x = 0; x < width; x++, expanded += 3 * lanes)
      for (int64_t i = 0; i < factor; i++, sums += lanes) {
        const T* from = expanded + (i == 0 ? 0 : i == factor - 1 ? 2 : 1) * lanes;
        for (int64_t n = 0; n < lanes; n += V::kLanes) V::store(sums + n, Add ? V::load(from + n) + V::load(sums + n) : V::load(from + n));
      }
  }
};

}  // namespace

template <class T> bool accepts_conv2d_over_upsampled(const graph::Node& node, const graph::Graph& graph) {
  return floating::accepts_conv2d_over_upsampled<T>(node, graph, Vec<T>::kLanes);
}

template <class T> std::unique_ptr<Kernel> create_conv2d_over_upsampled(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<floating::OverUpsampled<FloatSet<T>, UpsampledLoops<T>>>(node, graph);
}

template bool accepts_conv2d_over_upsampled<float>(const graph::Node&, const graph::Graph&);
template bool accepts_conv2d_over_upsampled<Half>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d_over_upsampled<float>(const graph::Node&, const graph::Graph&);
template std::unique_ptr<Kernel> create_conv2d_over_upsampled<Half>(const graph::Node&, const graph::Graph&);

}  // namespace edgeocr::kernels::neon
