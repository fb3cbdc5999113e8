// Shapes, element types and views: what graph, plan and kernels share.
//
// Physical layout, fixed for the whole engine:
//   * A tensor of rank 4 is a feature map. Its logical shape is N, C, H, W (as in the file); in memory channels are
//     innermost: element (n, c, y, x) lies at data + n*batch_stride + y*row_stride + x*pixel_stride + c.
//     Strides are always the dense ones, with a pixel_stride of pixel_stride_of(C): pixel i of N*H*W lies at data + i*pixel_stride,
//     and maps of one shape differ in nothing but where they begin. Of a map of which only some rows are in memory, data is where
//     row 0 would be.
//     Lanes C .. pixel_stride-1 of every pixel are zero (kernels that write a map write them too), so kernels may read whole
//     vectors and weights padded with zeros need no tail code.
//   * Any other rank is dense and row-major.
//   * Weights (constants) keep the layout of the file (OIHW, IOHW, [K, N]) until a kernel packs them for itself. A view of four
//     dimensions without strides is such a constant, or a matrix in a kernel's scratch memory: dense and row-major.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace edgeocr {

enum class DataType : uint8_t { f32, f16, i8, i16, i32, i64, u8, boolean };

constexpr size_t size_of(DataType t) {
  switch (t) {
    case DataType::f32:
    case DataType::i32: return 4;
    case DataType::f16:
    case DataType::i16: return 2;
    case DataType::i64: return 8;
    default: return 1;
  }
}
const char* name_of(DataType t);  // "fp32", "int8", … as Paddle-Lite writes them

// Up to six dimensions, no allocation.
class Shape {
 public:
  static constexpr int kMaxRank = 6;
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);
  explicit Shape(std::span<const int64_t> dims);  // fails above kMaxRank
  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[static_cast<size_t>(i)]; }
  int64_t& operator[](int i) { return dims_[static_cast<size_t>(i)]; }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  int64_t count() const;  // product; 1 for rank 0
  bool operator==(const Shape& other) const;
  std::string str() const;  // "1x3x640x640"

 private:
  int rank_ = 0;
  std::array<int64_t, kMaxRank> dims_{};
};

// Elements from one pixel of a feature map with `channels` channels to the next: 1 and 4 stay narrow (probability map,
// picture), everything else is padded to a multiple of 8 (one fp16 / two fp32 vectors, two SDOT groups).
constexpr int64_t pixel_stride_of(int64_t channels) { return channels <= 1 ? 1 : channels <= 4 ? 4 : (channels + 7) / 8 * 8; }

// Rows begin … end - 1 of a map.
struct RowRange {
  int64_t begin = 0, end = 0;
  bool operator==(const RowRange&) const = default;
};

struct TensorView {
  DataType dtype = DataType::f32;
  Shape shape;  // logical: N, C, H, W for feature maps
  void* data = nullptr;
  // In elements, of maps only: what dense_view() makes them.
  int64_t batch_stride = 0, row_stride = 0, pixel_stride = 0;

  bool is_map() const { return shape.rank() == 4; }
  template <class T> T* as() const { return static_cast<T*>(data); }
};

// A view over dense memory: strides from pixel_stride_of for maps, row-major otherwise.
TensorView dense_view(DataType dtype, const Shape& shape, void* data);
// Bytes such a view needs.
size_t dense_bytes(DataType dtype, const Shape& shape);

}  // namespace edgeocr
