// The program as a graph in SSA form: every write of a variable makes a new value, so that the names which opt's memory
// reuse recycles (with other shapes and other dtypes) do not matter any more. Shapes are not stored here: they belong to a
// plan, since they follow from the input's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "edgeocr/mode.h"
#include "nb/nb.h"

namespace edgeocr::graph {

struct FusedTail;

using ValueId = int32_t;
constexpr ValueId kNoValue = -1;

// Contents known at load: a parameter of the file or something a pass folded.
struct Constant {
  DataType dtype = DataType::f32;
  Shape shape;
  std::shared_ptr<const void> owner;
  std::span<const std::byte> data;
  template <class T> std::span<const T> as() const { return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)}; }
};

struct Value {
  std::string name;                          // the variable's name in the file (not unique)
  std::shared_ptr<const Constant> constant;  // null for what is computed
};

struct Port {
  std::string parameter;  // "Input", "X", …
  int index = 0;          // position among the arguments of that parameter
  ValueId value = kNoValue;
};

struct Node {
  std::string op;     // Paddle-Lite's operator name: "conv2d", "calib", …
  std::string alias;  // of __@kernel_type_attr@__: "def", "int8_out", "fp32_to_int8", …
  int precision = 1;  // of the same attribute: 1 fp32, 2 int8, 5 fp16, … (precision.h)
  int index = 0;      // position in the file's list of operators, for messages: "conv2d #12"
  std::vector<Port> inputs, outputs;
  std::map<std::string, nb::Attr, std::less<>> attrs;
  std::shared_ptr<const FusedTail> tail;  // fused_tail.h; null: none

  std::string label() const { return op + " #" + std::to_string(index); }

  // First input (output) called `parameter`, or kNoValue.
  ValueId input(std::string_view parameter, int index = 0) const;
  ValueId output(std::string_view parameter) const;
  // Position of that input in `inputs`, -1 if absent: kernels get their tensors in this order.
  int input_position(std::string_view parameter, int index = 0) const;
  std::vector<ValueId> all_inputs(std::string_view parameter) const;

  // Attribute access. INT/LONG/BOOLEAN and INTS/LONGS are read alike, a single number where a list is asked for is a list of
  // one. Fails with "conv2d #12: attribute <name> is missing" (forms without a default) or "… has the wrong type".
  int64_t attr_int(std::string_view name) const;
  int64_t attr_int(std::string_view name, int64_t fallback) const;
  float attr_float(std::string_view name) const;
  float attr_float(std::string_view name, float fallback) const;
  std::string attr_string(std::string_view name, std::string_view fallback = "") const;
  std::vector<int64_t> attr_ints(std::string_view name, std::vector<int64_t> fallback = {}) const;
  std::vector<float> attr_floats(std::string_view name, std::vector<float> fallback = {}) const;
  bool has_attr(std::string_view name) const { return attrs.find(name) != attrs.end(); }
};

struct Graph {
  std::string name;  // for messages: the file's
  std::vector<Value> values;
  std::vector<Node> nodes;         // in execution order; `feed` and `fetch` are gone
  std::vector<ValueId> inputs;     // by feed column
  std::vector<Shape> feed_shapes;  // as the file states them, -1 = dynamic
  std::vector<ValueId> outputs;    // by fetch column

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  // null if not constant
  const Constant* constant(ValueId id) const { return id == kNoValue ? nullptr : value(id).constant.get(); }
};

// Binds names to values write by write, without the outputs that exist for training only (XShape, Reserve, …), then runs the
// passes of passes/passes.h. Fails on an operator the engine does not know: "det.nb: operator foo is not supported".
Graph build(const nb::Model& model, const std::string& name);

// Runs the fusion passes of passes/passes.h that `int8` allows.
void fuse(Graph& graph, Int8 int8 = Int8::exact);

// Shape and dtype of every value for given input shapes, and the contents of small integer tensors (shape → slice →
// fill_constant / reshape2 chains), which are thereby computed when a plan is made and never at run time.
struct Inferred {
  DataType dtype = DataType::f32;
  Shape shape;
  std::shared_ptr<const Constant> known;  // null unless the contents follow from the shapes
};
std::vector<Inferred> infer(const Graph& graph, std::span<const Shape> input_shapes);

}  // namespace edgeocr::graph
