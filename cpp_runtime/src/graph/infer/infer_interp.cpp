#include <array>
#include <optional>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

namespace {

// Scale factors y, x: the Scale tensor, else the attribute (nearest_interp: one FLOAT; v2: none, one or two FLOATS); values of
// 0 or less mean that out_h and out_w hold.
std::optional<std::array<float, 2>> scales(const InferContext& context) {
  std::vector<float> factors = context.node().attr_floats("scale");
  if (const Inferred* tensor = context.find("Scale")) {
    if (tensor->known == nullptr || tensor->dtype != DataType::f32) context.reject("Scale is computed, expected an fp32 parameter");
    factors.assign(tensor->known->as<float>().begin(), tensor->known->as<float>().end());
  }
  if (factors.empty()) return std::nullopt;
  if (factors.size() > 2) context.reject("scale has %zu values, expected 1 or 2", factors.size());
  std::array<float, 2> pair{factors.front(), factors.back()};
  if (!(pair[0] > 0) || !(pair[1] > 0)) return std::nullopt;
  return pair;
}

// In Paddle's order of precedence.
std::array<int64_t, 2> output_size(const InferContext& context, const Shape& input) {
  auto pair = [&](const std::vector<int64_t>& sizes, const char* what) -> std::array<int64_t, 2> {
    if (sizes.size() != 2) context.reject("%s has %zu values, expected 2", what, sizes.size());
    return {sizes[0], sizes[1]};
  };
  if (auto list = context.all("SizeTensor"); !list.empty()) return pair(context.known_scalars(list, "SizeTensor"), "SizeTensor");
  if (const Inferred* tensor = context.find("OutSize")) return pair(context.known_ints(*tensor, "OutSize"), "OutSize");
  if (auto factors = scales(context)) {
    std::array<int64_t, 2> size{};
    for (size_t axis = 0; axis < 2; axis++) {
      double exact = static_cast<double>(input[2 + static_cast<int>(axis)]) * (*factors)[axis];
      if (!(exact <= static_cast<double>(kMaxElements))) context.reject("scale is %g, expected a smaller one", (*factors)[axis]);
      size[axis] = static_cast<int64_t>(exact);
    }
    return size;
  }
  return {context.node().attr_int("out_h", -1), context.node().attr_int("out_w", -1)};
}

}  // namespace

void infer_nearest_interp(InferContext& context) {
  const Inferred& input = context.input("X");
  context.expect_rank(input, "input", 4);
  // int8 where a pass has moved the calib behind it to its front.
  if (input.dtype != DataType::i8) context.expect_dtype(input, "input", DataType::f32);
  auto [height, width] = output_size(context, input.shape);
  context.set_output(input.dtype, {input.shape[0], input.shape[1], height, width});
}

}  // namespace edgeocr::graph
