// nearest_interp(_v2): output pixel y reads input row int(y * ratio), with align_corners int(y * ratio + 0.5). ratio is 1 / scale in
// v2 where a scale is given and no size, else input / output; with align_corners (input - 1) / (output - 1). Source: Paddle's
// interpolate kernels.
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

class NearestInterp : public Kernel {
 public:
  NearestInterp(const graph::Node& node, const graph::Graph& graph)
      : input_(input_index(node, "X")), align_corners_(node.attr_int("align_corners", 0) != 0) {
    const bool sized = node.input("SizeTensor") != graph::kNoValue || node.input("OutSize") != graph::kNoValue;
    if (node.op == "nearest_interp_v2" && !sized) {
      const bool tensor = node.input("Scale") != graph::kNoValue;
      const std::vector<float> scale = tensor ? constant_floats(node, graph, "Scale") : node.attr_floats("scale");
      if (!scale.empty()) scale_ = {scale.front(), scale.back()};
    }
    const std::string method = node.attr_string("interp_method", "nearest");
    if (method != "nearest") fail("%s: interp_method is %s, expected nearest", node.label().c_str(), method.c_str());
  }

  std::string_view name() const override { return "generic.nearest_interp"; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView &in = inputs[input_], &out = outputs[0];
    expect_dtype("nearest_interp", "input", in, out.dtype);
    if (!in.is_map() || !out.is_map() || in.shape[1] != out.shape[1] || in.shape[0] != out.shape[0]) {
      fail("nearest_interp: %s to %s", in.shape.str().c_str(), out.shape.str().c_str());
    }
    const size_t element = size_of(in.dtype);
    const auto lanes = static_cast<size_t>(pixel_stride_of(out.shape[1])) * element;
    const int64_t out_h = out.shape[2], out_w = out.shape[3];
    const float ratio_h = ratio(0, in.shape[2], out_h), ratio_w = ratio(1, in.shape[3], out_w);
    parallel(context, out.shape[0] * out_h, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t n = row / out_h, y = source(row % out_h, ratio_h, in.shape[2]);
        const std::byte* from = in.as<const std::byte>() + static_cast<size_t>(n * in.batch_stride + y * in.row_stride) * element;
        std::byte* to = out.as<std::byte>() + static_cast<size_t>(n * out.batch_stride + row % out_h * out.row_stride) * element;
        for (int64_t x = 0; x < out_w; x++) {
          std::memcpy(to + static_cast<size_t>(x * out.pixel_stride) * element,
                      from + static_cast<size_t>(source(x, ratio_w, in.shape[3]) * in.pixel_stride) * element, lanes);
        }
      }
    });
  }

 private:
  float ratio(size_t axis, int64_t in, int64_t out) const {
    if (!align_corners_) return scale_[axis] > 0 ? 1.0f / scale_[axis] : static_cast<float>(in) / static_cast<float>(out);
    return out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;
  }
  int64_t source(int64_t at, float ratio, int64_t size) const {
    const auto index = static_cast<int64_t>(static_cast<float>(at) * ratio + (align_corners_ ? 0.5f : 0.0f));
    return std::min(index, size - 1);
  }

  size_t input_;
  bool align_corners_;
  std::array<float, 2> scale_{0, 0};  // y, x; 0: none
};

}  // namespace

std::unique_ptr<Kernel> create_interp(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<NearestInterp>(node, graph);
}

}  // namespace edgeocr::kernels::generic
