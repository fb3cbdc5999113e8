#include "graph/passes/fuse_bias.h"

#include "graph/passes/convolution.h"
#include "graph/passes/probe.h"
#include "graph/passes/rewrite.h"
#include "graph/passes/tails.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

// Whether the constant, aligned with a tensor of `rank` dimensions as elementwise operators do it, has `count` elements along
// dimension `at` and one along the others.
bool lies_along(const Shape& constant, int rank, int64_t axis, int at, int64_t count) {
  const int room = rank - constant.rank();
  if (room < 0 || constant.count() != count) return false;
  const int64_t first = axis == -1 || room == 0 ? room : axis;
  if (first < 0 || first > room) return false;
  return count == 1 || (at >= first && at < first + constant.rank() && constant[at - static_cast<int>(first)] == count);
}

// The operand of an addition that is an fp32 parameter; the other is in `computed`.
const Constant* constant_operand(const Graph& graph, const Node& add, ValueId& computed) {
  for (const auto& [constant, other] : {std::pair("Y", "X"), std::pair("X", "Y")}) {
    computed = add.input(other);
    const Constant* found = graph.constant(add.input(constant));
    if (found != nullptr && found->dtype == DataType::f32 && graph.constant(computed) == nullptr) return found;
  }
  return nullptr;
}

bool can_have_bias(const Node& node) {
  const bool convolution = node.op == "conv2d" || node.op == "depthwise_conv2d" || node.op == "conv2d_transpose";
  return convolution && node.precision == kFp32Precision && node.input("Bias") == kNoValue && !has_activation(node) && node.tail == nullptr;
}

}  // namespace

void fuse_bias(Graph& graph) {
  const std::vector<Inferred> shapes = probe_shapes(graph);
  if (shapes.empty()) return;
  rewrite(graph, [&](const Uses& uses, size_t n) {
    Node& add = graph.nodes[n];
    if (add.op != "elementwise_add" || add.tail != nullptr) return false;
    ValueId sum = kNoValue;
    const Constant* constant = constant_operand(graph, add, sum);
    const int maker = uses.producer(sum);
    if (constant == nullptr || maker < 0 || uses.sole_reader(sum) != static_cast<int>(n)) return false;
    Node& product = graph.nodes[static_cast<size_t>(maker)];
    if (!is_product(product) || !takes_tail(product) || !takes_addend(tail_of(product))) return false;
    const int64_t channels = output_channels(product, graph);
    const int rank = shapes[static_cast<size_t>(sum)].shape.rank();
    if (channels < 1 || !lies_along(constant->shape, rank, add.attr_int("axis", -1), rank == 4 ? 1 : rank - 1, channels)) return false;

    auto addend = std::make_shared<const Constant>(Constant{constant->dtype, {channels}, constant->owner, constant->data});
    if (can_have_bias(product)) {
      product.inputs.push_back({"Bias", 0, add_value(graph, "bias of " + product.label(), std::move(addend))});
    } else {
      FusedTail tail = tail_of(product);
      tail.addend = std::move(addend);
      set_tail(product, std::move(tail));
    }
    product.outputs[0].value = add.outputs[0].value;
    take_out(add);
    return true;
  });
}

}  // namespace edgeocr::graph
