// What an inference function sees: one node, its inputs, its outputs to set.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/precision.h"

namespace edgeocr::graph {

// Largest tensor of a network, in elements: sizes fit int32, as shape gives them.
constexpr int64_t kMaxElements = (int64_t{1} << 31) - 1;
// Largest contents computed at planning, all tensors together, in elements.
constexpr int64_t kMaxKnownElements = int64_t{1} << 20;

class InferContext {
 public:
  InferContext(const Graph& graph, const Node& node, std::vector<Inferred>& values) : graph_(graph), node_(node), values_(values) {}

  const Node& node() const { return node_; }
  // Element type of the maps of an operator that has no int8 form: fp16 where the node's precision is that, else fp32.
  DataType float_dtype() const { return node_.precision == kFp16Precision ? DataType::f16 : DataType::f32; }

  // Fails with "<graph>: conv2d #12: <message>".
  [[noreturn, gnu::format(printf, 2, 3)]] void reject(const char* format, ...) const;

  // Null where absent.
  const Inferred* find(std::string_view parameter, int index = 0) const;
  const Inferred& input(std::string_view parameter, int index = 0) const;  // rejects where absent
  std::vector<const Inferred*> all(std::string_view parameter) const;

  // Rejects unless the tensor has that element type / rank.
  void expect_dtype(const Inferred& tensor, const char* what, DataType dtype) const;
  void expect_rank(const Inferred& tensor, const char* what, int rank) const;

  // Contents of an integer tensor that follow from the input shapes; rejects others. `what` names it in messages.
  std::vector<int64_t> known_ints(const Inferred& tensor, const char* what) const;
  // One number per tensor of a list (ShapeTensor, StartsTensorList, …).
  std::vector<int64_t> known_scalars(const std::vector<const Inferred*>& tensors, const char* what) const;

  // An axis of a tensor of `rank` dimensions, negative ones counted from the end.
  int axis(int64_t value, int rank) const;

  // Sets the output: rejects sizes below 1 and more than kMaxElements in all. `known` may be null. The outputs of a node with a
  // tail have the node's shape and the tail's element types.
  void set_output(DataType dtype, const Shape& shape, std::shared_ptr<const Constant> known = nullptr, int index = 0);
  // Sets the output to the bytes of `source` under another shape, known if `source` is.
  void set_reshaped(const Inferred& source, const Shape& shape);

  // Product of the sizes; rejects sizes below 1 and more than kMaxElements.
  int64_t checked_count(const Shape& shape, const char* what) const;

 private:
  void set_tail_outputs(DataType dtype, const Shape& shape);  // infer_tail.cpp

  const Graph& graph_;
  const Node& node_;
  std::vector<Inferred>& values_;
};

// Fresh zeroed contents, to be filled before the constant is handed on.
struct KnownContents {
  std::shared_ptr<Constant> constant;
  std::byte* data;
};
KnownContents make_known(DataType dtype, const Shape& shape);

}  // namespace edgeocr::graph
