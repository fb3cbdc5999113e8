#include <type_traits>

#include "base/error.h"
#include "graph/graph.h"

namespace edgeocr::graph {

namespace {

const Port* find_port(const std::vector<Port>& ports, std::string_view parameter, int index) {
  for (const Port& port : ports)
    if (port.index == index && port.parameter == parameter) return &port;
  return nullptr;
}

const nb::Attr* find_attr(const Node& node, std::string_view name) {
  auto it = node.attrs.find(name);
  return it == node.attrs.end() ? nullptr : &it->second;
}

const nb::Attr& require_attr(const Node& node, std::string_view name) {
  const nb::Attr* attr = find_attr(node, name);
  if (attr == nullptr) fail("%s: attribute %.*s is missing", node.label().c_str(), static_cast<int>(name.size()), name.data());
  return *attr;
}

[[noreturn]] void wrong_type(const Node& node, std::string_view name, const char* expected) {
  fail("%s: attribute %.*s has the wrong type, expected %s", node.label().c_str(), static_cast<int>(name.size()), name.data(), expected);
}

// The attribute as one number, or as a list of numbers, of any of the stored types that `Accepts` names.
template <class T, class... Accepts> T number(const Node& node, std::string_view name, const nb::Attr& attr, const char* expected) {
  return std::visit(
      [&](const auto& value) -> T {
        if constexpr ((std::is_same_v<std::decay_t<decltype(value)>, Accepts> || ...)) return static_cast<T>(value);
        else wrong_type(node, name, expected);
      },
      attr);
}

template <class T, class... Accepts>
std::vector<T> list(const Node& node, std::string_view name, const nb::Attr& attr, const char* expected) {
  return std::visit(
      [&](const auto& value) -> std::vector<T> {
        using Stored = std::decay_t<decltype(value)>;
        if constexpr ((std::is_same_v<Stored, Accepts> || ...)) return {static_cast<T>(value)};
        else if constexpr ((std::is_same_v<Stored, std::vector<Accepts>> || ...)) return std::vector<T>(value.begin(), value.end());
        else wrong_type(node, name, expected);
      },
      attr);
}

constexpr const char* kInteger = "an integer or boolean";
constexpr const char* kFloat = "a float";

}  // namespace

ValueId Node::input(std::string_view parameter, int index_of) const {
  const Port* port = find_port(inputs, parameter, index_of);
  return port == nullptr ? kNoValue : port->value;
}

ValueId Node::output(std::string_view parameter) const {
  const Port* port = find_port(outputs, parameter, 0);
  return port == nullptr ? kNoValue : port->value;
}

int Node::input_position(std::string_view parameter, int index_of) const {
  const Port* port = find_port(inputs, parameter, index_of);
  return port == nullptr ? -1 : static_cast<int>(port - inputs.data());
}

std::vector<ValueId> Node::all_inputs(std::string_view parameter) const {
  std::vector<ValueId> values;
  for (const Port& port : inputs)
    if (port.parameter == parameter) values.push_back(port.value);
  return values;
}

int64_t Node::attr_int(std::string_view name) const {
  return number<int64_t, int32_t, int64_t, bool>(*this, name, require_attr(*this, name), kInteger);
}

int64_t Node::attr_int(std::string_view name, int64_t fallback) const { return has_attr(name) ? attr_int(name) : fallback; }

float Node::attr_float(std::string_view name) const { return number<float, float, double>(*this, name, require_attr(*this, name), kFloat); }

float Node::attr_float(std::string_view name, float fallback) const { return has_attr(name) ? attr_float(name) : fallback; }

std::string Node::attr_string(std::string_view name, std::string_view fallback) const {
  const nb::Attr* attr = find_attr(*this, name);
  if (attr == nullptr) return std::string(fallback);
  const auto* text = std::get_if<std::string>(attr);
  if (text == nullptr) wrong_type(*this, name, "a string");
  return *text;
}

std::vector<int64_t> Node::attr_ints(std::string_view name, std::vector<int64_t> fallback) const {
  const nb::Attr* attr = find_attr(*this, name);
  return attr == nullptr ? fallback : list<int64_t, int32_t, int64_t>(*this, name, *attr, "integers");
}

std::vector<float> Node::attr_floats(std::string_view name, std::vector<float> fallback) const {
  const nb::Attr* attr = find_attr(*this, name);
  return attr == nullptr ? fallback : list<float, float, double>(*this, name, *attr, "floats");
}

}  // namespace edgeocr::graph
