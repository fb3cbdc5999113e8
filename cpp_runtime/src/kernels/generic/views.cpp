#include "kernels/generic/views.h"

#include <cstring>
#include <utility>

#include "base/error.h"

namespace edgeocr::kernels::generic {

Strides row_major_strides(const Shape& shape) {
  Strides strides{};
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; i--) {
    strides[static_cast<size_t>(i)] = step;
    step *= shape[i];
  }
  return strides;
}

Strides strides_of(const TensorView& view) {
  if (!view.is_map() || is_constant_map(view)) return row_major_strides(view.shape);
  return {view.batch_stride, 1, view.row_stride, view.pixel_stride};
}

namespace {

struct Axis {
  int64_t size, source, target;
};

template <class T> void copy_line(const Axis& axis, const T* source, T* target) {
  if (axis.source == 1 && axis.target == 1) {
    std::memcpy(target, source, static_cast<size_t>(axis.size) * sizeof(T));
    return;
  }
  for (int64_t i = 0; i < axis.size; i++) target[i * axis.target] = source[i * axis.source];
}

template <class T> void copy_axes(std::span<const Axis> axes, const T* source, T* target) {
  if (axes.empty()) {
    *target = *source;
  } else if (axes.size() == 1) {
    copy_line(axes[0], source, target);
  } else {
    const Axis& axis = axes[0];
    for (int64_t i = 0; i < axis.size; i++) copy_axes(axes.subspan(1), source + i * axis.source, target + i * axis.target);
  }
}

}  // namespace

void copy_strided(const Shape& shape, size_t element_bytes, const void* source, const Strides& source_strides, void* target,
                  const Strides& target_strides) {
  // Largest target stride outermost: the target is written in order.
  std::array<Axis, Shape::kMaxRank> axes;
  size_t rank = 0;
  for (int i = 0; i < shape.rank(); i++) {
    if (shape[i] == 0) return;
    if (shape[i] == 1) continue;
    const auto at = static_cast<size_t>(i);
    axes[rank++] = {shape[i], source_strides[at], target_strides[at]};
  }
  std::stable_sort(axes.begin(), axes.begin() + static_cast<ptrdiff_t>(rank),
                   [](const Axis& a, const Axis& b) { return a.target > b.target; });
  // Neighbours that both sides walk without a gap are one axis.
  size_t merged = 0;
  for (size_t i = 1; i < rank; i++) {
    Axis& outer = axes[merged];
    const Axis& inner = axes[i];
    if (outer.source == inner.source * inner.size && outer.target == inner.target * inner.size) {
      outer = {outer.size * inner.size, inner.source, inner.target};
    } else {
      axes[++merged] = inner;
    }
  }
  const std::span<const Axis> walk(axes.data(), rank == 0 ? 0 : merged + 1);
  switch (element_bytes) {
    case 1: return copy_axes(walk, static_cast<const uint8_t*>(source), static_cast<uint8_t*>(target));
    case 2: return copy_axes(walk, static_cast<const uint16_t*>(source), static_cast<uint16_t*>(target));
    case 4: return copy_axes(walk, static_cast<const uint32_t*>(source), static_cast<uint32_t*>(target));
    default: return copy_axes(walk, static_cast<const uint64_t*>(source), static_cast<uint64_t*>(target));
  }
}

int64_t map_pixels(const TensorView& map) { return map.shape[0] * map.shape[2] * map.shape[3]; }

void clear_padding(const TensorView& view) {
  if (!view.is_map()) return;
  const int64_t channels = view.shape[1], lanes = view.pixel_stride - channels;
  if (lanes == 0) return;
  const size_t element = size_of(view.dtype);
  auto* data = view.as<std::byte>();
  for (int64_t p = 0, n = map_pixels(view); p < n; p++)
    std::memset(data + static_cast<size_t>(p * view.pixel_stride + channels) * element, 0, static_cast<size_t>(lanes) * element);
}

void expect_dtype(std::string_view op, const char* what, const TensorView& view, DataType dtype) {
  if (view.dtype != dtype)
    fail("%.*s: %s is %s, expected %s", static_cast<int>(op.size()), op.data(), what, name_of(view.dtype), name_of(dtype));
  if (is_constant_map(view)) {
    fail("%.*s: %s is a constant of the file of %s, expected a computed map", static_cast<int>(op.size()), op.data(), what,
         view.shape.str().c_str());
  }
}

}  // namespace edgeocr::kernels::generic
