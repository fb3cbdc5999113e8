#include <cinttypes>
#include <cstdarg>
#include <cstdio>

#include "base/aligned.h"
#include "base/error.h"
#include "base/error_name.h"
#include "graph/infer/infer_context.h"
#include "graph/operators.h"

namespace edgeocr::graph {

void InferContext::reject(const char* format, ...) const {
  char text[512];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  fail("%s: %s: %s", graph_.name.c_str(), node_.label().c_str(), text);
}

const Inferred* InferContext::find(std::string_view parameter, int index) const {
  ValueId id = node_.input(parameter, index);
  return id == kNoValue ? nullptr : &values_[static_cast<size_t>(id)];
}

const Inferred& InferContext::input(std::string_view parameter, int index) const {
  const Inferred* tensor = find(parameter, index);
  if (tensor == nullptr) reject("input %.*s[%d] is missing", static_cast<int>(parameter.size()), parameter.data(), index);
  return *tensor;
}

std::vector<const Inferred*> InferContext::all(std::string_view parameter) const {
  std::vector<const Inferred*> tensors;
  for (ValueId id : node_.all_inputs(parameter)) tensors.push_back(&values_[static_cast<size_t>(id)]);
  return tensors;
}

void InferContext::expect_dtype(const Inferred& tensor, const char* what, DataType dtype) const {
  if (tensor.dtype != dtype) reject("%s is %s, expected %s", what, name_of(tensor.dtype), name_of(dtype));
}

void InferContext::expect_rank(const Inferred& tensor, const char* what, int rank) const {
  if (tensor.shape.rank() != rank) reject("%s has shape %s, expected rank %d", what, tensor.shape.str().c_str(), rank);
}

std::vector<int64_t> InferContext::known_ints(const Inferred& tensor, const char* what) const {
  if (tensor.known == nullptr) reject("%s is computed from the picture, expected sizes that follow from the input's shape", what);
  const Constant& constant = *tensor.known;
  if (constant.dtype == DataType::i32) return {constant.as<int32_t>().begin(), constant.as<int32_t>().end()};
  if (constant.dtype == DataType::i64) return {constant.as<int64_t>().begin(), constant.as<int64_t>().end()};
  reject("%s is %s, expected int32 or int64", what, name_of(constant.dtype));
}

std::vector<int64_t> InferContext::known_scalars(const std::vector<const Inferred*>& tensors, const char* what) const {
  std::vector<int64_t> numbers;
  for (const Inferred* tensor : tensors) {
    std::vector<int64_t> one = known_ints(*tensor, what);
    if (one.size() != 1) reject("%s has %zu elements, expected 1", what, one.size());
    numbers.push_back(one[0]);
  }
  return numbers;
}

int InferContext::axis(int64_t value, int rank) const {
  if (value < -rank || value >= rank) reject("axis is %" PRId64 ", expected %d to %d", value, -rank, rank - 1);
  return static_cast<int>(value < 0 ? value + rank : value);
}

int64_t InferContext::checked_count(const Shape& shape, const char* what) const {
  int64_t count = 1;
  for (int64_t dim : shape.dims()) {
    if (dim < 1) reject("%s would be %s, expected sizes of at least 1", what, shape.str().c_str());
    if (count > kMaxElements / dim)
      reject("%s would be %s, expected at most %" PRId64 " elements", what, shape.str().c_str(), kMaxElements);
    count *= dim;
  }
  return count;
}

void InferContext::set_output(DataType dtype, const Shape& shape, std::shared_ptr<const Constant> known, int index) {
  checked_count(shape, "output");
  if (node_.tail != nullptr) return set_tail_outputs(dtype, shape);
  for (const Port& port : node_.outputs)
    if (port.index == index && port.value != kNoValue) values_[static_cast<size_t>(port.value)] = {dtype, shape, std::move(known)};
}

void InferContext::set_reshaped(const Inferred& source, const Shape& shape) {
  int64_t count = source.shape.count();
  if (checked_count(shape, "output") != count)
    reject("output would be %s, expected %" PRId64 " elements as the input %s has", shape.str().c_str(), count, source.shape.str().c_str());
  std::shared_ptr<const Constant> known;
  if (source.known != nullptr) known = std::make_shared<Constant>(Constant{source.dtype, shape, source.known->owner, source.known->data});
  set_output(source.dtype, shape, std::move(known));
}

KnownContents make_known(DataType dtype, const Shape& shape) {
  size_t bytes = static_cast<size_t>(shape.count()) * size_of(dtype);
  auto memory = allocate_aligned(bytes, "constant");
  std::byte* data = memory.get();
  return {std::make_shared<Constant>(Constant{dtype, shape, std::move(memory), {data, bytes}}), data};
}

namespace {

void check_input(const Graph& graph, size_t index, const Shape& shape) {
  int64_t count = 1;
  for (int64_t dim : shape.dims()) {
    if (dim < 1 || count > kMaxElements / dim)
      fail("%s: input %zu is %s, expected sizes of at least 1 and at most %" PRId64 " elements", graph.name.c_str(), index,
           shape.str().c_str(), kMaxElements);
    count *= dim;
  }
}

// Elements whose contents the node's outputs hold.
int64_t known_elements(const Node& node, const std::vector<Inferred>& values) {
  int64_t count = 0;
  for (const Port& port : node.outputs)
    if (port.value != kNoValue && values[static_cast<size_t>(port.value)].known != nullptr)
      count += values[static_cast<size_t>(port.value)].shape.count();
  return count;
}

}  // namespace

std::vector<Inferred> infer(const Graph& graph, std::span<const Shape> input_shapes) {
  if (input_shapes.size() != graph.inputs.size())
    fail("%s: %zu input shapes given, expected %zu", graph.name.c_str(), input_shapes.size(), graph.inputs.size());
  std::vector<Inferred> values(graph.values.size());
  for (size_t v = 0; v < values.size(); v++)
    if (const auto& constant = graph.values[v].constant) values[v] = {constant->dtype, constant->shape, constant};
  for (size_t i = 0; i < graph.inputs.size(); i++) {
    check_input(graph, i, input_shapes[i]);
    values[static_cast<size_t>(graph.inputs[i])] = {DataType::f32, input_shapes[i], nullptr};
  }
  int64_t known = 0;
  for (const Node& node : graph.nodes) {
    const Operator* op = find_operator(node.op);
    if (op == nullptr) fail("%s: operator %s is not supported (%s)", graph.name.c_str(), node.op.c_str(), node.label().c_str());
    InferContext context(graph, node, values);
    with_name(graph.name, [&] { op->infer(context); });
    known += known_elements(node, values);
    if (known > kMaxKnownElements) context.reject("constants made for this input exceed %" PRId64 " elements", kMaxKnownElements);
  }
  return values;
}

}  // namespace edgeocr::graph
