#include "kernels/generic/conv_parameters.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

namespace {

std::array<int64_t, 2> read_pair(const graph::Node& node, std::string_view name) {
  const std::vector<int64_t> values = node.attr_ints(name, {1, 1});
  if (values.size() != 2 || values[0] < 1 || values[1] < 1) {
    fail("%s: attribute %.*s is not two numbers of at least 1", node.op.c_str(), static_cast<int>(name.size()), name.data());
  }
  return {values[0], values[1]};
}

}  // namespace

Pads read_pads(const graph::Node& node) {
  const std::vector<int64_t> pads = node.attr_ints("paddings", {0, 0});
  for (int64_t pad : pads)
    if (pad < 0) fail("%s: attribute paddings has %lld, expected at least 0", node.op.c_str(), static_cast<long long>(pad));
  if (pads.size() == 2) return {pads[0], pads[0], pads[1], pads[1]};
  if (pads.size() == 4) return {pads[0], pads[1], pads[2], pads[3]};
  fail("%s: attribute paddings has %zu values, expected 2 or 4", node.op.c_str(), pads.size());
}

PaddingAlgorithm read_padding_algorithm(const graph::Node& node) {
  const std::string name = node.attr_string("padding_algorithm", "EXPLICIT");
  if (name == "EXPLICIT" || name.empty()) return PaddingAlgorithm::explicit_pads;
  if (name == "SAME") return PaddingAlgorithm::same;
  if (name == "VALID") return PaddingAlgorithm::valid;
  fail("%s: padding_algorithm is %s, expected EXPLICIT, SAME or VALID", node.op.c_str(), name.c_str());
}

ConvParameters conv_parameters(const graph::Node& node, const graph::Graph& graph, bool transposed) {
  const graph::Constant& filter = constant_input(node, graph, "Filter");
  if (filter.shape.rank() != 4) fail("%s: Filter is %s, expected four dimensions", node.op.c_str(), filter.shape.str().c_str());
  ConvParameters p;
  const auto strides = read_pair(node, "strides"), dilations = read_pair(node, "dilations");
  const Pads pads = read_pads(node);
  const int64_t groups = node.attr_int("groups", 1);
  if (groups < 1) fail("%s: groups is %lld, expected at least 1", node.op.c_str(), static_cast<long long>(groups));
  p.geometry = {
      .groups = groups,
      .in_channels = transposed ? filter.shape[0] : filter.shape[1] * groups,
      .out_channels = transposed ? filter.shape[1] * groups : filter.shape[0],
      .kernel_h = filter.shape[2], .kernel_w = filter.shape[3],
      .stride_h = strides[0], .stride_w = strides[1],
      .dilation_h = dilations[0], .dilation_w = dilations[1],
      .pad_top = pads.top, .pad_bottom = pads.bottom, .pad_left = pads.left, .pad_right = pads.right,
  };
  p.padding = read_padding_algorithm(node);
  p.int8_in = node.precision == 2;
  p.int8_out = p.int8_in && node.alias == "int8_out";
  const DataType expected = p.int8_in ? DataType::i8 : DataType::f32;
  if (filter.dtype != expected) fail("%s: Filter is %s, expected %s", node.op.c_str(), name_of(filter.dtype), name_of(expected));
  if (p.geometry.in_channels % groups != 0 || p.geometry.out_channels % groups != 0 || filter.shape.count() == 0) {
    fail("%s: Filter is %s, which %lld groups do not fit", node.op.c_str(), filter.shape.str().c_str(), static_cast<long long>(groups));
  }
  return p;
}

AxisPlacement place(PaddingAlgorithm padding, int64_t pad_begin, int64_t dilation, int64_t size, int64_t kernel, int64_t stride) {
  switch (padding) {
    case PaddingAlgorithm::explicit_pads: return {pad_begin, dilation};
    case PaddingAlgorithm::valid: return {0, dilation};
    case PaddingAlgorithm::same: break;
  }
  const int64_t out = (size + stride - 1) / stride;
  return {std::max<int64_t>((out - 1) * stride + kernel - size, 0) / 2, 1};
}

Epilogue conv_epilogue(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters) {
  const int64_t channels = parameters.geometry.out_channels;
  const Activation act = conv_activation(node);
  std::vector<float> bias = bias_or_zeros(node, graph, channels);
  if (!parameters.int8_in) return Epilogue::fp32(std::move(bias), act);
  std::vector<float> filter_scale = scales(node, "Filter0_scale", channels);
  const float input_scale = single_scale(node, "Input0_scale");
  if (!parameters.int8_out) return Epilogue::int8_to_fp32(std::move(filter_scale), input_scale, std::move(bias), act);
  return Epilogue::int8_to_int8(requant_rule(parameters.geometry), std::move(filter_scale), input_scale,
                                single_scale(node, "Output0_scale"), std::move(bias), act);
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
