#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

namespace {

// Bytes of everything inside one step along `axis`, and the number of such rows before it.
struct Rows {
  int64_t outer = 1;
  size_t inner;
};

Rows rows_of(const Shape& shape, int axis, DataType dtype) {
  Rows rows{1, size_of(dtype)};
  for (int i = 0; i < axis; i++) rows.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); i++) rows.inner *= static_cast<size_t>(shape[i]);
  return rows;
}

// Copies `count` steps along `axis`, from `from_at` of one dense tensor to `to_at` of another.
void copy_steps(const std::byte* from, const Shape& from_shape, int64_t from_at, std::byte* to, const Shape& to_shape, int64_t to_at,
                int64_t count, int axis, DataType dtype) {
  Rows rows = rows_of(from_shape, axis, dtype);
  for (int64_t o = 0; o < rows.outer; o++)
    std::memcpy(to + static_cast<size_t>(o * to_shape[axis] + to_at) * rows.inner,
                from + static_cast<size_t>(o * from_shape[axis] + from_at) * rows.inner, static_cast<size_t>(count) * rows.inner);
}

std::vector<int64_t> bounds(const InferContext& context, const char* list, const char* tensor, const char* attribute) {
  if (auto tensors = context.all(list); !tensors.empty()) return context.known_scalars(tensors, list);
  if (const Inferred* one = context.find(tensor)) return context.known_ints(*one, tensor);
  return context.node().attr_ints(attribute);
}

}  // namespace

// Starts and ends beyond the tensor are clamped, negative ones count from its end; decrease_axis drops dimensions of size 1.
void infer_slice(InferContext& context) {
  const Inferred& input = context.input("Input");
  std::vector<int64_t> axes = context.node().attr_ints("axes");
  std::vector<int64_t> starts = bounds(context, "StartsTensorList", "StartsTensor", "starts");
  std::vector<int64_t> ends = bounds(context, "EndsTensorList", "EndsTensor", "ends");
  if (starts.size() != axes.size() || ends.size() != axes.size())
    context.reject("axes, starts and ends have %zu, %zu and %zu values, expected equal numbers", axes.size(), starts.size(), ends.size());

  Inferred part = input;
  for (size_t i = 0; i < axes.size(); i++) {
    int axis = context.axis(axes[i], input.shape.rank());
    int64_t size = part.shape[axis];
    auto clamped = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
    int64_t start = clamped(starts[i]), count = clamped(ends[i]) - start;
    Shape shape = part.shape;
    shape[axis] = count;
    context.checked_count(shape, "output");
    if (part.known != nullptr) {
      KnownContents contents = make_known(part.dtype, shape);
      copy_steps(part.known->data.data(), part.shape, start, contents.data, shape, 0, count, axis, part.dtype);
      part.known = std::move(contents.constant);
    }
    part.shape = shape;
  }

  std::vector<bool> drop(static_cast<size_t>(part.shape.rank()), false);
  for (int64_t value : context.node().attr_ints("decrease_axis")) {
    int axis = context.axis(value, part.shape.rank());
    if (part.shape[axis] != 1) context.reject("drops dimension %d of %s, expected size 1 there", axis, part.shape.str().c_str());
    drop[static_cast<size_t>(axis)] = true;
  }
  std::vector<int64_t> dims;
  for (int i = 0; i < part.shape.rank(); i++)
    if (!drop[static_cast<size_t>(i)]) dims.push_back(part.shape[i]);
  if (dims.empty()) dims.push_back(1);
  context.set_reshaped(part, Shape(dims));
}

void infer_concat(InferContext& context) {
  std::vector<const Inferred*> inputs = context.all("X");
  if (context.find("AxisTensor") != nullptr) context.reject("AxisTensor is given, expected the attribute axis");
  int axis = context.axis(context.node().attr_int("axis", 0), inputs[0]->shape.rank());
  Shape out = inputs[0]->shape;
  out[axis] = 0;
  bool known = true;
  for (const Inferred* input : inputs) {
    context.expect_dtype(*input, "input", inputs[0]->dtype);
    context.expect_rank(*input, "input", out.rank());
    for (int i = 0; i < out.rank(); i++)
      if (i != axis && input->shape[i] != out[i])
        context.reject("joins %s and %s, expected equal sizes but in dimension %d", inputs[0]->shape.str().c_str(),
                       input->shape.str().c_str(), axis);
    out[axis] += input->shape[axis];
    known = known && input->known != nullptr;
  }
  context.checked_count(out, "output");
  if (!known) return context.set_output(inputs[0]->dtype, out);

  KnownContents contents = make_known(inputs[0]->dtype, out);
  int64_t at = 0;
  for (const Inferred* input : inputs) {
    copy_steps(input->known->data.data(), input->shape, 0, contents.data, out, at, input->shape[axis], axis, input->dtype);
    at += input->shape[axis];
  }
  context.set_output(inputs[0]->dtype, out, std::move(contents.constant));
}

// Attribute sections (one may be -1) or, where that is empty, num equal parts.
void infer_split(InferContext& context) {
  const Node& node = context.node();
  const Inferred& input = context.input("X");
  if (context.find("AxisTensor") != nullptr) context.reject("AxisTensor is given, expected the attribute axis");
  int axis = context.axis(node.attr_int("axis", 0), input.shape.rank());
  int64_t size = input.shape[axis];
  auto outputs = static_cast<int64_t>(node.outputs.size());
  std::vector<int64_t> sections = node.attr_ints("sections");
  if (auto list = context.all("SectionsTensorList"); !list.empty()) sections = context.known_scalars(list, "SectionsTensorList");
  if (sections.empty()) {
    int64_t parts = node.attr_int("num", 0);
    if (parts != outputs || size % parts != 0)
      context.reject("num is %" PRId64 " with %" PRId64 " outputs, expected a divisor of %" PRId64, parts, outputs, size);
    sections.assign(static_cast<size_t>(parts), size / parts);
  }
  int64_t total = 0;
  for (int64_t part : sections) {
    if (part != -1 && (part < 1 || part > size)) context.reject("a section is %" PRId64 ", expected -1 or 1 to %" PRId64, part, size);
    total += std::max<int64_t>(part, 0);
  }
  if (auto open = std::ranges::find(sections, -1); open != sections.end()) {
    *open = size - total;
    total = size;
  }
  if (static_cast<int64_t>(sections.size()) != outputs || total != size || std::ranges::min(sections) < 1)
    context.reject("%zu sections of %" PRId64 " elements for %" PRId64 " outputs of dimension %d, which has %" PRId64, sections.size(),
                   total, outputs, axis, size);
  for (size_t i = 0; i < sections.size(); i++) {
    Shape out = input.shape;
    out[axis] = sections[i];
    context.set_output(input.dtype, out, nullptr, static_cast<int>(i));
  }
}

}  // namespace edgeocr::graph
