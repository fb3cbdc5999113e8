#include "base/tensor.h"

#include "base/error.h"

namespace edgeocr {

const char* name_of(DataType t) {
  switch (t) {
    case DataType::f32: return "fp32";
    case DataType::f16: return "fp16";
    case DataType::i8: return "int8";
    case DataType::i16: return "int16";
    case DataType::i32: return "int32";
    case DataType::i64: return "int64";
    case DataType::u8: return "uint8";
    case DataType::boolean: return "bool";
  }
  return "?";
}

Shape::Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) fail("tensor rank is %zu, expected at most %d", dims.size(), kMaxRank);
  for (int64_t d : dims) dims_[static_cast<size_t>(rank_++)] = d;
}

int64_t Shape::count() const {
  int64_t n = 1;
  for (int64_t d : dims()) n *= d;
  return n;
}

bool Shape::operator==(const Shape& other) const {
  if (rank_ != other.rank_) return false;
  for (int i = 0; i < rank_; i++)
    if ((*this)[i] != other[i]) return false;
  return true;
}

std::string Shape::str() const {
  std::string s;
  for (int64_t d : dims()) s += (s.empty() ? "" : "x") + std::to_string(d);
  return s.empty() ? "scalar" : s;
}

TensorView dense_view(DataType dtype, const Shape& shape, void* data) {
  TensorView v{dtype, shape, data};
  if (v.is_map()) {
    v.pixel_stride = pixel_stride_of(shape[1]);
    v.row_stride = v.pixel_stride * shape[3];
    v.batch_stride = v.row_stride * shape[2];
  }
  return v;
}

size_t dense_bytes(DataType dtype, const Shape& shape) {
  int64_t n = shape.rank() == 4 ? shape[0] * shape[2] * shape[3] * pixel_stride_of(shape[1]) : shape.count();
  return static_cast<size_t>(n) * size_of(dtype);
}

}  // namespace edgeocr
