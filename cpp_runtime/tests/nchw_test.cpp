#include "nchw.h"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "base/error.h"

using edgeocr::copy_from_nchw;
using edgeocr::copy_to_nchw;
using edgeocr::DataType;
using edgeocr::dense_view;
using edgeocr::Shape;
using edgeocr::TensorView;

namespace {

std::vector<float> counting(const Shape& shape) {
  std::vector<float> values(static_cast<size_t>(shape.count()));
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

}  // namespace

TEST_CASE("nchw: maps of every channel padding come back as they went in") {
  for (const Shape& shape : {Shape{1, 1, 3, 5}, Shape{2, 3, 4, 5}, Shape{1, 4, 1, 1}, Shape{3, 5, 2, 7}, Shape{1, 16, 3, 2}}) {
    CAPTURE(shape.str());
    std::vector<float> memory(edgeocr::dense_bytes(DataType::f32, shape) / sizeof(float), -1.0f);
    const TensorView view = dense_view(DataType::f32, shape, memory.data());
    const std::vector<float> values = counting(shape);
    copy_from_nchw(values, view);
    CHECK(copy_to_nchw(view) == values);
  }
}

TEST_CASE("nchw: channels are innermost and padding lanes are zero") {
  const Shape shape{1, 3, 1, 2};
  std::vector<float> memory(8, -1.0f);
  copy_from_nchw(counting(shape), dense_view(DataType::f32, shape, memory.data()));
  CHECK(memory == std::vector<float>{1, 3, 5, 0, 2, 4, 6, 0});
}

TEST_CASE("nchw: other ranks are copied") {
  const Shape shape{2, 3};
  std::vector<float> memory(6);
  const TensorView view = dense_view(DataType::f32, shape, memory.data());
  copy_from_nchw(counting(shape), view);
  CHECK(memory == counting(shape));
  CHECK(copy_to_nchw(view) == counting(shape));
}

TEST_CASE("nchw: wrong count and wrong type are refused") {
  std::vector<float> memory(8);
  CHECK_THROWS_WITH_AS(copy_from_nchw(std::vector<float>(5), dense_view(DataType::f32, Shape{2, 3}, memory.data())),
                       "input has 5 values, expected 6 for 2x3", edgeocr::Error);
  CHECK_THROWS_WITH_AS(copy_to_nchw(dense_view(DataType::i32, Shape{2, 3}, memory.data())), "tensor is int32, expected fp32",
                       edgeocr::Error);
}
