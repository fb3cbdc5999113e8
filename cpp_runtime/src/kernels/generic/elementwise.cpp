// elementwise_add / sub / mul / div with Paddle's broadcasting, and their fused forms with an activation.
//
// The operand of lower rank is aligned at `axis` of the other (-1: at the end). Constants of four dimensions come row-major
// and are turned into maps once, so that both operands and the output are walked in one order: channels innermost for maps.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "kernels/generic/loops.h"
#include "kernels/generic/operators.h"
#include "kernels/generic/parameters.h"
#include "kernels/generic/views.h"

namespace edgeocr::kernels::generic {

namespace {

BinaryOp operation(const graph::Node& node) {
  constexpr std::pair<std::string_view, BinaryOp> kNames[] = {
      {"add", BinaryOp::add}, {"sub", BinaryOp::sub}, {"mul", BinaryOp::mul}, {"div", BinaryOp::div}};
  for (const auto& [name, op] : kNames)
    if (node.op.find("elementwise_" + std::string(name)) != std::string::npos) return op;
  fail("%s: not an elementwise operator", node.label().c_str());
}

// An operand as the output sees it: a step per dimension of the output, 0 where it is broadcast.
struct Operand {
  const float* data;
  Strides steps;
};

class Elementwise : public Kernel {
 public:
  Elementwise(const graph::Node& node, const graph::Graph& graph)
      : loops_(current_loops()), op_(operation(node)), x_(input_index(node, "X")), y_(input_index(node, "Y")),
        axis_(node.attr_int("axis", -1)) {
    if (node.op.starts_with("fusion_")) act_ = named_activation(node, "act_type");
    constant_x_ = as_map(graph.constant(node.input("X")));
    constant_y_ = as_map(graph.constant(node.input("Y")));
  }

  std::string_view name() const override { return "generic.elementwise"; }

  void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const override {
    const TensorView& out = outputs[0];
    const TensorView& x = constant_x_ ? constant_x_->view : inputs[x_];
    const TensorView& y = constant_y_ ? constant_y_->view : inputs[y_];
    for (const TensorView* view : {&x, &y, &out}) expect_dtype("elementwise", "a tensor", *view, DataType::f32);
    if (x.shape == y.shape && x.shape == out.shape) {
      for_each_run(context, out, [&](int64_t at, int64_t n) {
        loops_.binary(op_, act_, x.as<const float>() + at, 1, y.as<const float>() + at, 1, n, out.as<float>() + at);
      });
    } else {
      const int rank = std::max(x.shape.rank(), y.shape.rank());
      walk(context, operand(x, rank, out.shape), operand(y, rank, out.shape), out);
    }
    clear_padding(out);
  }

 private:
  struct ConstantMap {
    std::shared_ptr<std::byte> memory;
    TensorView view;
  };

  static std::optional<ConstantMap> as_map(const graph::Constant* constant) {
    if (constant == nullptr || constant->shape.rank() != 4) return std::nullopt;
    ConstantMap map{allocate_aligned(dense_bytes(constant->dtype, constant->shape), "constant map"), {}};
    map.view = dense_view(constant->dtype, constant->shape, map.memory.get());
    copy_strided(constant->shape, size_of(constant->dtype), constant->data.data(), row_major_strides(constant->shape), map.view.data,
                 strides_of(map.view));
    return map;
  }

  // `rank`: of the other operand, if that is higher.
  Operand operand(const TensorView& view, int rank, const Shape& out) const {
    const int own = view.shape.rank();
    const int64_t first = own == rank || axis_ == -1 ? rank - own : axis_;
    const Strides strides = strides_of(view);
    Operand result{view.as<const float>(), {}};
    bool fits = rank == out.rank() && first >= 0 && first + own <= rank;
    for (int i = 0; fits && i < own; i++) {
      const int at = static_cast<int>(first) + i;
      fits = view.shape[i] == 1 || view.shape[i] == out[at];
      if (view.shape[i] != 1) result.steps[static_cast<size_t>(at)] = strides[static_cast<size_t>(i)];
    }
    if (!fits) {
      fail("elementwise: %s does not broadcast to %s at axis %lld", view.shape.str().c_str(), out.str().c_str(),
           static_cast<long long>(axis_));
    }
    return result;
  }

  // Lines of the output's innermost dimension in memory; lines are counted over the others.
  void walk(const RunContext& context, const Operand& x, const Operand& y, const TensorView& out) const {
    const int rank = out.shape.rank();
    const int inner = rank == 4 ? 1 : rank - 1;
    const int64_t n = rank == 0 ? 1 : out.shape[inner];
    const auto inner_at = static_cast<size_t>(std::max(inner, 0));
    const Strides to = strides_of(out);
    const int64_t lines = n == 0 ? 0 : out.shape.count() / n;
    parallel(context, lines, 64, [&](int64_t begin, int64_t end, int) {
      for (int64_t line = begin; line < end; line++) {
        int64_t from_x = 0, from_y = 0, at = 0, rest = line;
        for (int i = rank - 1; i >= 0; i--) {
          if (i == inner) continue;
          const auto d = static_cast<size_t>(i);
          const int64_t index = rest % out.shape[i];
          rest /= out.shape[i];
          from_x += index * x.steps[d];
          from_y += index * y.steps[d];
          at += index * to[d];
        }
        loops_.binary(op_, act_, x.data + from_x, x.steps[inner_at], y.data + from_y, y.steps[inner_at], n, out.as<float>() + at);
      }
    });
  }

  const Loops& loops_;
  BinaryOp op_;
  Activation act_;
  size_t x_, y_;
  int64_t axis_;
  std::optional<ConstantMap> constant_x_, constant_y_;
};

}  // namespace

std::unique_ptr<Kernel> create_elementwise(const graph::Node& node, const graph::Graph& graph) {
  return std::make_unique<Elementwise>(node, graph);
}

}  // namespace edgeocr::kernels::generic
