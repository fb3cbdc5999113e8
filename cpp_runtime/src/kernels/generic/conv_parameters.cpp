#include "kernels/generic/conv_parameters.h"

#include <algorithm>

#include "base/error.h"
#include "graph/geometry.h"
#include "graph/precision.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

ConvParameters conv_parameters(const graph::Node& node, const graph::Graph& graph, bool transposed) {
  const graph::Constant& filter = constant_input(node, graph, "Filter");
  if (filter.shape.rank() != 4) fail("%s: Filter is %s, expected four dimensions", node.label().c_str(), filter.shape.str().c_str());
  ConvParameters p;
  // Sizes of the input matter to SAME only, which `place` resolves at run time.
  const graph::Window window = graph::conv_window(node, {1, 1, 1, 1}, filter.shape);
  const int64_t groups = node.attr_int("groups", 1);
  if (groups < 1) fail("%s: groups is %lld, expected at least 1", node.label().c_str(), static_cast<long long>(groups));
  p.geometry = {
      .groups = groups,
      .in_channels = transposed ? filter.shape[0] : filter.shape[1] * groups,
      .out_channels = transposed ? filter.shape[1] * groups : filter.shape[0],
      .kernel_h = filter.shape[2],
      .kernel_w = filter.shape[3],
      .stride_h = window.stride[0],
      .stride_w = window.stride[1],
      .dilation_h = window.dilation[0],
      .dilation_w = window.dilation[1],
      .pad_top = window.pad_begin[0],
      .pad_bottom = window.pad_end[0],
      .pad_left = window.pad_begin[1],
      .pad_right = window.pad_end[1],
  };
  p.same_padding = node.attr_string("padding_algorithm") == "SAME";
  p.int8_in = node.precision == graph::kInt8Precision;
  p.int8_out = p.int8_in && node.alias == "int8_out";
  const DataType expected = p.int8_in ? DataType::i8 : DataType::f32;
  if (filter.dtype != expected) fail("%s: Filter is %s, expected %s", node.label().c_str(), name_of(filter.dtype), name_of(expected));
  if (p.geometry.in_channels % groups != 0 || p.geometry.out_channels % groups != 0 || filter.shape.count() == 0) {
    fail("%s: Filter is %s, which %lld groups do not fit", node.label().c_str(), filter.shape.str().c_str(),
         static_cast<long long>(groups));
  }
  return p;
}

int64_t same_pad_begin(int64_t size, int64_t kernel, int64_t stride) {
  const int64_t out = (size + stride - 1) / stride;
  return std::max<int64_t>((out - 1) * stride + kernel - size, 0) / 2;
}

ConvGeometry over_upsampled_geometry(const Shape& filter) {
  return {.groups = 1,
          .in_channels = filter[1],
          .out_channels = filter[0],
          .kernel_h = 3,
          .kernel_w = 3,
          .stride_h = 1,
          .stride_w = 1,
          .dilation_h = 1,
          .dilation_w = 1,
          .pad_top = 1,
          .pad_bottom = 1,
          .pad_left = 1,
          .pad_right = 1};
}

void check_views(std::string_view op, const ConvParameters& parameters, const TensorView& in, const TensorView& out) {
  expect_dtype(op, "input", in, parameters.int8_in ? DataType::i8 : DataType::f32);
  expect_dtype(op, "output", out, parameters.int8_out ? DataType::i8 : DataType::f32);
  const ConvGeometry& g = parameters.geometry;
  if (!in.is_map() || !out.is_map() || in.shape[1] != g.in_channels || out.shape[1] != g.out_channels || in.shape[0] != out.shape[0]) {
    fail("%.*s: %s to %s, expected %lld to %lld channels", static_cast<int>(op.size()), op.data(), in.shape.str().c_str(),
         out.shape.str().c_str(), static_cast<long long>(g.in_channels), static_cast<long long>(g.out_channels));
  }
}

}  // namespace edgeocr::kernels::generic
