#include <doctest/doctest.h>

#include "graph/graph.h"
#include "graph/operators.h"
#include "program.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Inferred;

namespace {

struct Tensor {
  std::string parameter;
  Shape shape;
  DataType dtype = DataType::f32;
  std::shared_ptr<graph::Constant> known = nullptr;
};

Tensor ints(const std::string& parameter, const std::vector<int32_t>& values) {
  Shape shape{static_cast<int64_t>(values.size())};
  auto memory = allocate_aligned(values.size() * 4, "test");
  std::memcpy(memory.get(), values.data(), values.size() * 4);
  std::span<const std::byte> data(memory.get(), values.size() * 4);
  return {parameter, shape, DataType::i32,
          std::make_shared<graph::Constant>(graph::Constant{DataType::i32, shape, std::move(memory), data})};
}

// One node over the given tensors; those with contents are constants, all others graph inputs. Computed inputs of another type
// than fp32 come out of a calib.
struct OneNode {
  graph::Graph graph;
  std::vector<Shape> shapes;

  OneNode(const std::string& op, const std::vector<Tensor>& inputs, const Attrs& attrs, const std::string& alias, int outputs) {
    graph.name = "t.nb";
    graph::Node node;
    node.op = op, node.alias = alias, node.index = 12;
    std::map<std::string, int> counts;
    for (const Tensor& tensor : inputs) {
      auto id = static_cast<graph::ValueId>(graph.values.size());
      graph.values.push_back({tensor.parameter, tensor.known});
      if (tensor.known == nullptr) {
        graph.inputs.push_back(id);
        shapes.push_back(tensor.shape);
      }
      if (tensor.dtype == DataType::i8) {
        if (op != "dynamic_fc") node.precision = 2;
        graph::Node calib;
        calib.op = "calib", calib.alias = "fp32_to_int8", calib.precision = 2;
        calib.inputs = {{"Input", 0, id}}, calib.outputs = {{"Out", 0, id + 1}};
        graph.nodes.push_back(std::move(calib));
        graph.values.push_back({tensor.parameter, nullptr});
        id++;
      }
      node.inputs.push_back({tensor.parameter, counts[tensor.parameter]++, id});
    }
    for (int i = 0; i < outputs; i++) {
      node.outputs.push_back({std::string(graph::find_operator(op)->output), i, static_cast<graph::ValueId>(graph.values.size())});
      graph.values.push_back({"out", nullptr});
    }
    for (const auto& [name, value] : attrs) node.attrs[name] = value;
    graph.nodes.push_back(std::move(node));
  }

  Inferred output(int index = 0) const {
    auto values = graph::infer(graph, shapes);
    return values[static_cast<size_t>(graph.nodes.back().outputs[static_cast<size_t>(index)].value)];
  }
};

Inferred infer(const std::string& op, const std::vector<Tensor>& inputs, const Attrs& attrs = {}, const std::string& alias = "def") {
  return OneNode(op, inputs, attrs, alias, 1).output();
}

std::string shape(const std::string& op, const std::vector<Tensor>& inputs, const Attrs& attrs = {}, const std::string& alias = "def") {
  return infer(op, inputs, attrs, alias).shape.str();
}

// The message without "t.nb: <op> #12: ".
std::string reject(const std::string& op, const std::vector<Tensor>& inputs, const Attrs& attrs = {}, const std::string& alias = "def") {
  std::string why = error_of([&] { infer(op, inputs, attrs, alias); });
  std::string prefix = "t.nb: " + op + " #12: ";
  return why.starts_with(prefix) ? why.substr(prefix.size()) : "no prefix: " + why;
}

std::vector<int32_t> known(const Inferred& tensor) {
  REQUIRE(tensor.known != nullptr);
  REQUIRE(tensor.known->dtype == DataType::i32);
  REQUIRE(tensor.known->shape == tensor.shape);
  return {tensor.known->as<int32_t>().begin(), tensor.known->as<int32_t>().end()};
}

using Ints = std::vector<int32_t>;
using Floats = std::vector<float>;

Attrs conv_attrs(Ints strides, Ints paddings, Ints dilations = {1, 1}, int groups = 1, const std::string& algorithm = "EXPLICIT") {
  return {{"strides", strides}, {"paddings", paddings}, {"dilations", dilations}, {"groups", groups}, {"padding_algorithm", algorithm}};
}

std::vector<Tensor> conv(const Shape& input, const Shape& filter) { return {{"Input", input}, {"Filter", filter}}; }

}  // namespace

TEST_CASE("infer: conv2d") {
  CHECK(shape("conv2d", conv({1, 3, 640, 640}, {8, 3, 3, 3}), conv_attrs({2, 2}, {1, 1})) == "1x8x320x320");
  CHECK(shape("conv2d", conv({2, 3, 5, 7}, {8, 3, 3, 3}), conv_attrs({1, 1}, {0, 1, 2, 0})) == "2x8x4x7");
  CHECK(shape("conv2d", conv({1, 3, 9, 9}, {8, 3, 3, 3}), conv_attrs({1, 1}, {0, 0}, {2, 3})) == "1x8x5x3");
  CHECK(shape("conv2d", conv({1, 3, 7, 8}, {8, 3, 3, 3}), conv_attrs({2, 2}, {9, 9}, {5, 5}, 1, "SAME")) == "1x8x4x4");
  CHECK(shape("conv2d", conv({1, 3, 7, 8}, {8, 3, 3, 3}), conv_attrs({2, 2}, {9, 9}, {1, 1}, 1, "VALID")) == "1x8x3x3");
  CHECK(shape("depthwise_conv2d", conv({1, 24, 16, 80}, {24, 1, 5, 5}), conv_attrs({2, 1}, {2, 2}, {1, 1}, 24)) == "1x24x8x80");
  CHECK(shape("conv2d", conv({1, 24, 3, 3}, {40, 12, 1, 1}), conv_attrs({1, 1}, {0, 0}, {1, 1}, 2)) == "1x40x3x3");

  CHECK(reject("conv2d", conv({1, 24, 8, 8}, {16, 40, 1, 1})) == "input has 24 channels, filter expects 40");
  CHECK(reject("conv2d", conv({1, 24, 8}, {16, 24, 1, 1})) == "input has shape 1x24x8, expected rank 4");
  CHECK(reject("conv2d", conv({1, 3, 2, 8}, {8, 3, 3, 3})) == "output would be 1x8x0x6, expected sizes of at least 1");
  CHECK(reject("conv2d", conv({1, 24, 8, 8}, {16, 8, 1, 1}), conv_attrs({1, 1}, {0, 0}, {1, 1}, 5)) ==
        "groups is 5, expected a divisor of 24 input channels and 16 filters");
  CHECK(reject("conv2d", {{"Input", {1, 3, 8, 8}}, {"Filter", {8, 3, 1, 1}}, {"Bias", {7}}}) == "bias has 7 elements, expected 8");
  CHECK(reject("conv2d", {{"Input", {1, 3, 8, 8}, DataType::i8}, {"Filter", {8, 3, 1, 1}}}) == "filter is fp32, expected int8");
}

TEST_CASE("infer: conv2d in int8 gives what its kernel's name says") {
  std::vector<Tensor> tensors{{"Input", {1, 3, 8, 8}, DataType::i8}, {"Filter", {8, 3, 1, 1}, DataType::i8}};
  CHECK(infer("conv2d", tensors, {}, "int8_out").dtype == DataType::i8);
  CHECK(infer("conv2d", tensors, {}, "fp32_out").dtype == DataType::f32);
}

TEST_CASE("infer: windows that make no sense are refused") {
  auto why = [](const Attrs& attrs) { return error_of([&] { infer("conv2d", conv({1, 3, 8, 8}, {8, 3, 3, 3}), attrs); }); };
  CHECK(why(conv_attrs({0, 1}, {0, 0})) == "t.nb: conv2d #12: strides is 0, expected 1 to 32768");
  CHECK(why(conv_attrs({1}, {0, 0})) == "t.nb: conv2d #12: strides has 1 values, expected 2");
  CHECK(why(conv_attrs({1, 1}, {0, -1})) == "t.nb: conv2d #12: paddings is -1, expected 0 to 32768");
  CHECK(why(conv_attrs({1, 1}, {0, 0, 0})) == "t.nb: conv2d #12: paddings has 3 values, expected 2 or 4");
  CHECK(why(conv_attrs({1, 1}, {0, 0}, {2147483647, 1})) == "t.nb: conv2d #12: dilations is 2147483647, expected 1 to 32768");
  CHECK(why(conv_attrs({1, 1}, {0, 0}, {1, 1}, 1, "HALF")) ==
        "t.nb: conv2d #12: padding_algorithm is HALF, expected EXPLICIT, SAME or VALID");
}

TEST_CASE("infer: conv2d_transpose") {
  auto attrs = [](Ints strides, Ints paddings, Ints output_padding, Ints output_size, int groups) {
    Attrs a = conv_attrs(strides, paddings, {1, 1}, groups);
    a.push_back({"output_padding", output_padding}), a.push_back({"output_size", output_size});
    return a;
  };
  CHECK(shape("conv2d_transpose", conv({1, 24, 160, 160}, {24, 24, 2, 2}), attrs({2, 2}, {0, 0}, {}, {}, 1)) == "1x24x320x320");
  CHECK(shape("conv2d_transpose", conv({1, 24, 5, 5}, {24, 4, 3, 3}), attrs({2, 2}, {1, 0, 0, 1}, {}, {}, 2)) == "1x8x10x10");
  CHECK(shape("conv2d_transpose", conv({1, 4, 5, 5}, {4, 2, 3, 3}), attrs({2, 2}, {0, 0}, {1, 0}, {}, 1)) == "1x2x12x11");
  CHECK(shape("conv2d_transpose", conv({1, 4, 5, 5}, {4, 2, 3, 3}), attrs({2, 2}, {0, 0}, {}, {12, 11}, 1)) == "1x2x12x11");
  CHECK(reject("conv2d_transpose", conv({1, 4, 5, 5}, {8, 2, 3, 3}), attrs({2, 2}, {0, 0}, {}, {}, 1)) ==
        "input has 4 channels, filter expects 8");
  CHECK(reject("conv2d_transpose", conv({1, 4, 5, 5}, {4, 2, 3, 3}), attrs({2, 2}, {0, 0}, {}, {13, 11}, 1)) ==
        "output_size is 13, expected 11 to 12");
}

TEST_CASE("infer: pool2d") {
  auto pool = [](const Shape& input, Ints ksize, Ints strides, Ints paddings, const Attrs& more = {}) {
    Attrs attrs{{"ksize", ksize}, {"strides", strides}, {"paddings", paddings}, {"pooling_type", std::string("max")}};
    attrs.insert(attrs.end(), more.begin(), more.end());
    return shape("pool2d", {{"X", input}}, attrs);
  };
  CHECK(pool({1, 8, 2, 80}, {2, 2}, {2, 2}, {0, 0}) == "1x8x1x40");
  CHECK(pool({1, 8, 5, 7}, {1, 1}, {1, 1}, {0, 0}, {{"global_pooling", true}}) == "1x8x1x1");
  CHECK(pool({1, 8, 7, 8}, {3, 3}, {2, 2}, {1, 1}) == "1x8x4x4");
  CHECK(pool({1, 8, 7, 8}, {3, 3}, {2, 2}, {0, 0}, {{"ceil_mode", true}}) == "1x8x3x4");
  CHECK(pool({1, 8, 7, 8}, {3, 5}, {1, 1}, {0, 0}, {{"adaptive", true}}) == "1x8x3x5");
  CHECK(pool({1, 8, 1, 25}, {2, 2}, {2, 2}, {0, 0}) == "1x8x1x12");  // Paddle's division drops the -1/2
  CHECK(pool({1, 8, 7, 7}, {2, 2}, {2, 2}, {0, 0}, {{"padding_algorithm", std::string("SAME")}}) == "1x8x4x4");
  Attrs beyond{{"ksize", Ints{1, 1}}, {"strides", Ints{3, 3}}, {"paddings", Ints{0, 0}}, {"ceil_mode", true}};
  CHECK(reject("pool2d", {{"X", {1, 8, 3, 4}}}, beyond) == "output would be 1x8x0x2, expected sizes of at least 1");
  CHECK(reject("pool2d", {{"X", {1, 8, 3, 4}}}, {{"pooling_type", std::string("median")}}) ==
        "pooling_type is median, expected max or avg");
}

TEST_CASE("infer: elementwise broadcasts by axis") {
  auto add = [](const Shape& x, const Shape& y, int axis = -1) { return shape("elementwise_add", {{"X", x}, {"Y", y}}, {{"axis", axis}}); };
  CHECK(add({2, 8, 4, 5}, {2, 8, 4, 5}) == "2x8x4x5");
  CHECK(add({2, 8, 4, 5}, {2, 8, 1, 1}, 0) == "2x8x4x5");
  CHECK(add({2, 8, 4, 5}, {8}, 1) == "2x8x4x5");
  CHECK(add({2, 8, 4, 5}, {5}) == "2x8x4x5");
  CHECK(add({2, 8, 4, 5}, {8, 1, 1}) == "2x8x4x5");
  CHECK(add({3, 80, 6625}, {6625}, 2) == "3x80x6625");
  CHECK(add({2, 1, 4, 1}, {2, 8, 1, 5}) == "2x8x4x5");
  CHECK(add({5}, {2, 8, 4, 5}) == "2x8x4x5");
  CHECK(add({2, 3}, {2, 3}, 1) == "2x3");
  CHECK(reject("elementwise_mul", {{"X", {2, 8}}, {"Y", {2, 7}}}) == "X is 2x8 and Y is 2x7, expected equal sizes or 1 in dimension 1");
  CHECK(reject("elementwise_mul", {{"X", {2, 8, 4}}, {"Y", {8}}}, {{"axis", 3}}) == "axis is 3 for 2x8x4 and 8, expected -1 to 2");
}

TEST_CASE("infer: nearest_interp takes its size from tensors, scales or attributes, in this order") {
  Tensor x{"X", {1, 8, 5, 6}};
  CHECK(shape("nearest_interp_v2", {x}, {{"scale", Floats{2, 3}}, {"out_h", -1}, {"out_w", -1}}) == "1x8x10x18");
  CHECK(shape("nearest_interp_v2", {x}, {{"scale", Floats{4}}}) == "1x8x20x24");
  CHECK(shape("nearest_interp", {x}, {{"scale", 2.0f}}) == "1x8x10x12");
  CHECK(shape("nearest_interp", {x}, {{"scale", 0.0f}, {"out_h", 7}, {"out_w", 9}}) == "1x8x7x9");
  CHECK(shape("nearest_interp_v2", {x, ints("OutSize", {11, 12})}, {{"scale", Floats{2, 2}}}) == "1x8x11x12");
  CHECK(shape("nearest_interp_v2", {x, ints("SizeTensor", {3}), ints("SizeTensor", {4}), ints("OutSize", {11, 12})}, {}) == "1x8x3x4");
  CHECK(reject("nearest_interp_v2", {x}, {{"scale", Floats{1e30f}}}) == "scale is 1e+30, expected a smaller one");
  CHECK(reject("nearest_interp_v2", {x}) == "output would be 1x8x-1x-1, expected sizes of at least 1");
  CHECK(reject("nearest_interp_v2", {x, Tensor{"OutSize", {2}}}) ==
        "OutSize is computed from the picture, expected sizes that follow from the input's shape");
}

TEST_CASE("infer: reshape, squeeze, unsqueeze, flatten, transpose") {
  auto reshape = [](const Shape& x, Ints to) { return shape("reshape2", {{"X", x}}, {{"shape", to}}); };
  CHECK(reshape({2, 200, 1, 1}, {0, 200}) == "2x200");
  CHECK(reshape({2, 200, 1, 1}, {-1, 50, 0}) == "8x50x1");
  CHECK(reshape({2, 12}, {0, 3, 2, -1}) == "2x3x2x2");
  CHECK(shape("reshape2", {{"X", {2, 200, 1, 1}}, ints("ShapeTensor", {2}), ints("ShapeTensor", {200})}, {{"shape", Ints{-1, -1}}}) ==
        "2x200");
  CHECK(shape("reshape2", {{"X", {2, 200, 1, 1}}, ints("Shape", {-1, 4})}) == "100x4");
  CHECK(reject("reshape2", {{"X", {2, 3}}}, {{"shape", Ints{-1, -1}}}) == "shape has -1 in dimensions 0 and 1, expected it once");
  CHECK(reject("reshape2", {{"X", {2, 3}}}, {{"shape", Ints{4, -1}}}) == "input 2x3 has 6 elements, expected a multiple of 4");
  CHECK(reject("reshape2", {{"X", {2, 3}}}, {{"shape", Ints{5}}}) == "output would be 5, expected 6 elements as the input 2x3 has");
  CHECK(reject("reshape2", {{"X", {2, 3}}}, {{"shape", Ints{2, 3, 0}}}) == "shape keeps dimension 2 of input 2x3, which has none");
  CHECK(reject("reshape2", {{"X", {2, 3}}}, {{"shape", Ints{1, 1, 1, 1, 1, 1, 6}}}) == "output would have rank 7, expected at most 6");
  CHECK(reject("reshape2", {{"X", {2, 3}}}) == "shape is empty, expected at least one size");
  CHECK(reject("reshape2", {{"X", {2, 3}}}, {{"shape", Ints{2147483647, 2147483647, -1}}}) ==
        "shape has size 2147483647 in dimension 1, expected -1 to 1");

  CHECK(shape("squeeze2", {{"X", {2, 8, 1, 40}}}, {{"axes", Ints{2}}}) == "2x8x40");
  CHECK(shape("squeeze2", {{"X", {1, 8, 1, 40}}}) == "8x40");
  CHECK(shape("squeeze2", {{"X", {1, 1}}}) == "1");
  CHECK(reject("squeeze2", {{"X", {2, 8, 2, 40}}}, {{"axes", Ints{-2}}}) == "squeezes dimension 2 of 2x8x2x40, expected size 1 there");
  CHECK(shape("unsqueeze2", {{"X", {8, 40}}}, {{"axes", Ints{0, 2}}}) == "1x8x1x40");
  CHECK(shape("unsqueeze2", {{"X", {8, 40}}}, {{"axes", Ints{-1}}}) == "8x40x1");
  CHECK(shape("flatten2", {{"X", {2, 3, 4, 5}}}, {{"axis", 2}}) == "6x20");
  CHECK(shape("flatten_contiguous_range", {{"X", {2, 3, 4, 5}}}, {{"start_axis", 1}, {"stop_axis", 2}}) == "2x12x5");
  CHECK(shape("flatten_contiguous_range", {{"X", {2, 3, 4, 5}}}, {{"start_axis", 1}, {"stop_axis", -1}}) == "2x60");
  CHECK(shape("transpose2", {{"X", {2, 3, 4}}}, {{"axis", Ints{1, 0, 2}}}) == "3x2x4");
  CHECK(reject("transpose2", {{"X", {2, 3, 4}}}, {{"axis", Ints{1, 1, 2}}}) == "axis names dimension 1 twice");
  CHECK(reject("transpose2", {{"X", {2, 3, 4}}}, {{"axis", Ints{0, 1, 3}}}) == "axis is 3, expected -3 to 2");
}

TEST_CASE("infer: concat, split, slice") {
  CHECK(shape("concat", {{"X", {1, 8, 4, 4}}, {"X", {1, 24, 4, 4}}}, {{"axis", 1}}) == "1x32x4x4");
  CHECK(shape("concat", {{"X", {2, 3}}, {"X", {2, 4}}}, {{"axis", -1}}) == "2x7");
  CHECK(reject("concat", {{"X", {1, 8, 4, 4}}, {"X", {1, 8, 4, 5}}}, {{"axis", 1}}) ==
        "joins 1x8x4x4 and 1x8x4x5, expected equal sizes but in dimension 1");
  auto split = [](const Attrs& attrs, int outputs) {
    OneNode node("split", {{"X", {2, 9}}}, attrs, "def", outputs);
    std::string shapes;
    for (int i = 0; i < outputs; i++) shapes += node.output(i).shape.str() + " ";
    return shapes;
  };
  CHECK(split({{"axis", 1}, {"num", 3}}, 3) == "2x3 2x3 2x3 ");
  CHECK(split({{"axis", 1}, {"sections", Ints{2, -1, 3}}}, 3) == "2x2 2x4 2x3 ");
  CHECK(reject("split", {{"X", {2, 9}}}, {{"axis", 1}, {"sections", Ints{9, 1}}}) ==
        "2 sections of 10 elements for 1 outputs of dimension 1, which has 9");
  CHECK(reject("split", {{"X", {2, 9}}}, {{"axis", 1}, {"num", 0}}) == "num is 0 with 1 outputs, expected a divisor of 9");

  auto slice = [](const Shape& x, Ints axes, Ints starts, Ints ends, Ints decrease = {}) {
    return shape("slice", {{"Input", x}}, {{"axes", axes}, {"starts", starts}, {"ends", ends}, {"decrease_axis", decrease}});
  };
  CHECK(slice({4, 5, 6}, {1, 2}, {1, -3}, {3, 2147483647}) == "4x2x3");
  CHECK(slice({4, 5, 6}, {0}, {2}, {3}, {0}) == "5x6");
  CHECK(slice({4}, {0}, {2}, {3}, {0}) == "1");
  CHECK(slice({4, 5}, {1}, {-100}, {2}) == "4x2");
  CHECK(reject("slice", {{"Input", {4, 5}}}, {{"axes", Ints{0}}, {"starts", Ints{4}}, {"ends", Ints{9}}}) ==
        "output would be 0x5, expected sizes of at least 1");
}

TEST_CASE("infer: matrix products") {
  CHECK(shape("fc", {{"Input", {2, 80, 96}}, {"W", {96, 37}}, {"Bias", {37}}},
              {{"in_num_col_dims", 1}, {"op_type", std::string("matmul_v2")}}) == "2x80x37");
  CHECK(shape("fc", {{"Input", {2, 4, 3}}, {"W", {12, 37}}}, {{"in_num_col_dims", 1}}) == "2x37");
  CHECK(reject("fc", {{"Input", {2, 200}}, {"W", {100, 2}}}, {{"in_num_col_dims", 1}}) ==
        "input is 2x200: its rows have 200 elements, W expects 100");
  CHECK(reject("fc", {{"Input", {2, 100}}, {"W", {100, 2}}}, {{"padding_weights", true}}) == "padding_weights is true, expected false");
  CHECK(infer("fc", {{"Input", {2, 100}, DataType::i8}, {"W", {100, 2}, DataType::i8}}, {}, "int8out").dtype == DataType::i8);
  CHECK(infer("dynamic_fc", {{"Input", {2, 100}}, {"W", {100, 2}, DataType::i8}}, {}).dtype == DataType::f32);
  CHECK(shape("mul", {{"X", {2, 3, 4}}, {"Y", {12, 5}}}, {{"x_num_col_dims", 1}, {"y_num_col_dims", 1}}) == "2x5");
  CHECK(shape("matmul", {{"X", {2, 80, 96}}, {"Y", {96, 37}}}) == "2x80x37");
  CHECK(shape("matmul", {{"X", {2, 96, 80}}, {"Y", {37, 96}}}, {{"transpose_X", true}, {"transpose_Y", true}}) == "2x80x37");
  CHECK(shape("matmul_v2", {{"X", {2, 1, 8, 4}}, {"Y", {3, 5, 4}}}, {{"trans_y", true}}) == "2x3x8x5");
  CHECK(reject("matmul_v2", {{"X", {2, 8, 4}}, {"Y", {3, 4, 5}}}) == "X is 2x8x4 and Y is 3x4x5, expected batch sizes that are equal or 1");
  CHECK(reject("matmul_v2", {{"X", {8, 4}}, {"Y", {5, 4}}}) == "X is 8x4 and Y is 5x4: rows of X have 4 elements, Y expects 5");
}

TEST_CASE("infer: rnn") {
  auto tensors = [](int64_t hidden, int64_t second_width) {
    std::vector<Tensor> t{{"Input", {80, 2, 288}}, {"PreState", {4, 2, 48}}, {"PreState", {4, 2, 48}}};
    for (int64_t width : {int64_t{288}, int64_t{288}, second_width, second_width}) {
      t.push_back({"WeightList", {4 * hidden, width}});
      t.push_back({"WeightList", {4 * hidden, hidden}});
    }
    for (int i = 0; i < 8; i++) t.push_back({"WeightList", {4 * hidden}});
    return t;
  };
  Attrs attrs{{"mode", std::string("LSTM")}, {"hidden_size", 48}, {"num_layers", 2}, {"is_bidirec", true}, {"input_size", 288}};
  CHECK(shape("rnn", tensors(48, 96), attrs) == "80x2x96");
  CHECK(reject("rnn", tensors(48, 48), attrs) == "input weight is 192x48, expected 192x96");
  CHECK(reject("rnn", tensors(40, 96), attrs) == "input weight is 160x288, expected 192x288");
  std::vector<Tensor> short_list = tensors(48, 96);
  short_list.pop_back();
  CHECK(reject("rnn", short_list, attrs) == "WeightList has 15 tensors, expected 16");
  attrs[0].second = std::string("GRU");
  CHECK(reject("rnn", tensors(48, 96), attrs) == "mode is GRU, expected LSTM");
}

TEST_CASE("infer: shape arithmetic is evaluated") {
  CHECK(known(infer("shape", {{"Input", {2, 3, 48, 192}}})) == Ints{2, 3, 48, 192});
  CHECK(known(infer("slice", {ints("Input", {2, 3, 48, 192})},
                    {{"axes", Ints{0}}, {"starts", Ints{1}}, {"ends", Ints{2}}, {"decrease_axis", Ints{0}}})) == Ints{3});
  CHECK(known(infer("concat", {ints("X", {2, 3}), ints("X", {7})}, {{"axis", 0}})) == Ints{2, 3, 7});
  CHECK(known(infer("unsqueeze2", {ints("X", {5})}, {{"axes", Ints{0}}})) == Ints{5});
  CHECK(known(infer("fill_constant", {}, {{"shape", std::vector<int64_t>{}}, {"dtype", 2}, {"value", 200.0f}})) == Ints{200});
  Inferred filled = infer("fill_constant", {ints("ShapeTensorList", {4}), ints("ShapeTensorList", {2}), ints("ShapeTensorList", {48})},
                          {{"shape", std::vector<int64_t>{4, -1, 48}}, {"dtype", 5}, {"value", 0.5f}});
  CHECK(filled.shape == Shape{4, 2, 48});
  CHECK(filled.known->as<float>()[4 * 2 * 48 - 1] == 0.5f);
  Inferred like = infer("fill_constant_batch_size_like", {{"Input", {3, 80, 288}}},
                        {{"shape", Ints{4, -1, 48}}, {"dtype", 5}, {"input_dim_idx", 0}, {"output_dim_idx", 1}});
  CHECK(like.shape == Shape{4, 3, 48});
  REQUIRE(like.known != nullptr);
  CHECK(reject("fill_constant", {}, {{"shape", Ints{1 << 20, 2}}, {"dtype", 5}}) ==
        "output would be 1048576x2, expected at most 1048576 elements");
  CHECK(reject("fill_constant", {}, {{"shape", Ints{1}}, {"dtype", 2}, {"value", 3e9f}}) ==
        "value is 3e+09, expected one that int32 can hold");
  CHECK(reject("fill_constant", {}, {{"shape", Ints{1}}, {"dtype", 6}}) == "dtype is 6, expected 2 (int32), 3 (int64) or 5 (fp32)");
}

TEST_CASE("infer: values known at planning follow through the graph, and their nodes need no kernel") {
  Program p;
  p.feed("x", {-1, 200, 1, 1});
  p.op("shape", {{"Input", {"x"}}}, {{"Out", {"s"}}}, {}, "def/1/4/2");
  p.op("slice", {{"Input", {"s"}}}, {{"Out", {"n"}}},
       {{"axes", Ints{0}}, {"starts", Ints{0}}, {"ends", Ints{1}}, {"decrease_axis", Ints{0}}}, "int32_slice/4/1/1");
  p.op("fill_constant", {}, {{"Out", {"c"}}}, {{"shape", std::vector<int64_t>{1}}, {"dtype", 2}, {"value", 200.0f}}, "def/1/4/1");
  p.op("reshape2", {{"ShapeTensor", {"n", "c"}}, {"X", {"x"}}}, {{"Out", {"y"}}}, {{"shape", Ints{-1, 200}}}, "def/1/4/2");
  p.fetch("y");
  graph::Graph g = graph::build(p.model(), "t.nb");
  CHECK(graph::evaluated_nodes(g) == std::vector<bool>{true, true, true, false});
  Shape input{3, 200, 1, 1};
  auto values = graph::infer(g, {&input, 1});
  CHECK(values[static_cast<size_t>(g.outputs[0])].shape == Shape{3, 200});
  CHECK(values[static_cast<size_t>(g.outputs[0])].known == nullptr);
  for (size_t n = 0; n < 3; n++) CHECK(values[static_cast<size_t>(g.nodes[n].outputs[0].value)].known != nullptr);
}

TEST_CASE("infer: inputs and outputs beyond all measure are refused") {
  CHECK(error_of([] { infer("relu", {{"X", {0, 3}}}); }) ==
        "t.nb: input 0 is 0x3, expected sizes of at least 1 and at most 2147483647 elements");
  CHECK(error_of([] { infer("relu", {{"X", {1 << 20, 1 << 20}}}); }) ==
        "t.nb: input 0 is 1048576x1048576, expected sizes of at least 1 and at most 2147483647 elements");
  CHECK(reject("elementwise_add", {{"X", {1 << 20, 1}}, {"Y", {1, 1 << 20}}}) ==
        "output would be 1048576x1048576, expected at most 2147483647 elements");
  Program fills;
  fills.feed("x", {1});
  for (int i = 0; i < 3; i++)
    fills.op("fill_constant", {}, {{"Out", {"f"}}}, {{"shape", Ints{1 << 19}}, {"dtype", 5}}, "def/1/4/1")
        .op("elementwise_add", {{"X", {"x"}}, {"Y", {"f"}}}, {{"Out", {"x"}}});
  graph::Graph g = graph::build(fills.fetch("x").model(), "t.nb");
  Shape one{1};
  CHECK(error_of([&] { graph::infer(g, {&one, 1}); }) == "t.nb: fill_constant #5: constants made for this input exceed 1048576 elements");
  OneNode node("relu", {{"X", {1, 3}}}, {}, "def", 1);
  CHECK(error_of([&] { graph::infer(node.graph, {}); }) == "t.nb: 0 input shapes given, expected 1");
}
