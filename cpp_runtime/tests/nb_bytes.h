// Writing `.nb` files for tests, FlatBuffer by FlatBuffer, so that single bytes can be made wrong.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "nb/nb.h"

namespace edgeocr::test {

using Bytes = std::vector<std::byte>;

template <class T> void append(Bytes& bytes, const T& value) {
  size_t at = bytes.size();
  bytes.resize(at + sizeof(T));
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

template <class T> void overwrite(Bytes& bytes, size_t at, const T& value) { std::memcpy(bytes.data() + at, &value, sizeof(T)); }

// Appends one object and returns its position.
using Writer = std::function<size_t(Bytes& bytes)>;

struct Field {
  int id;
  Bytes scalar;   // the value, or
  Writer target;  // what the field's offset points to
};

template <class T> Field scalar(int id, T value) {
  Field field{id, {}, nullptr};
  append(field.scalar, value);
  return field;
}
inline Field target(int id, Writer writer) { return {id, {}, std::move(writer)}; }

inline Writer text(std::string value) {
  return [value = std::move(value)](Bytes& bytes) {
    size_t at = bytes.size();
    append(bytes, static_cast<uint32_t>(value.size()));
    for (char c : value) append(bytes, c);
    append(bytes, '\0');
    return at;
  };
}

template <class T> Writer numbers(std::vector<T> values) {
  return [values = std::move(values)](Bytes& bytes) {
    size_t at = bytes.size();
    append(bytes, static_cast<uint32_t>(values.size()));
    for (const T& value : values) append(bytes, value);
    return at;
  };
}

inline Writer objects(std::vector<Writer> writers) {
  return [writers = std::move(writers)](Bytes& bytes) {
    size_t at = bytes.size();
    append(bytes, static_cast<uint32_t>(writers.size()));
    bytes.resize(bytes.size() + 4 * writers.size());
    for (size_t i = 0; i < writers.size(); i++) {
      size_t slot = at + 4 + 4 * i;
      overwrite(bytes, slot, static_cast<uint32_t>(writers[i](bytes) - slot));
    }
    return at;
  };
}

inline Writer strings(const std::vector<std::string>& values) {
  std::vector<Writer> writers;
  for (const std::string& value : values) writers.push_back(text(value));
  return objects(std::move(writers));
}

inline Writer table(std::vector<Field> fields) {
  return [fields = std::move(fields)](Bytes& bytes) {
    int slots = 0;
    for (const Field& field : fields) slots = std::max(slots, field.id + 1);
    size_t vtable = bytes.size();
    bytes.resize(vtable + 4 + 2 * static_cast<size_t>(slots));
    size_t at = bytes.size();
    append(bytes, static_cast<int32_t>(at - vtable));
    std::vector<size_t> places;
    for (const Field& field : fields) {
      places.push_back(bytes.size());
      overwrite(bytes, vtable + 4 + 2 * static_cast<size_t>(field.id), static_cast<uint16_t>(bytes.size() - at));
      bytes.resize(bytes.size() + (field.target ? 4 : field.scalar.size()));
      if (!field.target) std::memcpy(bytes.data() + places.back(), field.scalar.data(), field.scalar.size());
    }
    overwrite(bytes, vtable, static_cast<uint16_t>(at - vtable));
    overwrite(bytes, vtable + 2, static_cast<uint16_t>(bytes.size() - at));
    for (size_t i = 0; i < fields.size(); i++)
      if (fields[i].target) overwrite(bytes, places[i], static_cast<uint32_t>(fields[i].target(bytes) - places[i]));
    return at;
  };
}

inline Bytes flatbuffer(const Writer& root) {
  Bytes bytes(4);
  overwrite(bytes, 0, static_cast<uint32_t>(root(bytes)));
  return bytes;
}

inline Writer attr_table(const std::string& name, const nb::Attr& attr) {
  std::vector<Field> fields{target(0, text(name))};
  auto add = [&](int32_t type, Field field) { fields.push_back(scalar(1, type)), fields.push_back(std::move(field)); };
  struct Visitor {
    decltype(add)& put;
    void operator()(int32_t v) const { put(0, scalar(2, v)); }
    void operator()(float v) const { put(1, scalar(3, v)); }
    void operator()(const std::string& v) const { put(2, target(4, text(v))); }
    void operator()(const std::vector<int32_t>& v) const { put(3, target(5, numbers(v))); }
    void operator()(const std::vector<float>& v) const { put(4, target(6, numbers(v))); }
    void operator()(const std::vector<std::string>& v) const { put(5, target(7, strings(v))); }
    void operator()(bool v) const { put(6, scalar(8, static_cast<uint8_t>(v))); }
    void operator()(const std::vector<bool>& v) const { put(7, target(9, numbers(std::vector<uint8_t>(v.begin(), v.end())))); }
    void operator()(int64_t v) const { put(9, scalar(11, v)); }
    void operator()(const std::vector<int64_t>& v) const { put(11, target(13, numbers(v))); }
    void operator()(double v) const { put(15, scalar(14, v)); }
    void operator()(const std::vector<double>& v) const { put(12, target(15, numbers(v))); }
  };
  std::visit(Visitor{add}, attr);
  return table(std::move(fields));
}

inline Writer arguments(const std::vector<nb::Argument>& list) {
  std::vector<Writer> writers;
  for (const nb::Argument& a : list) writers.push_back(table({target(0, text(a.parameter)), target(1, strings(a.arguments))}));
  return objects(std::move(writers));
}

inline Writer op_table(const nb::OpDesc& op) {
  std::vector<Writer> attrs;
  for (const auto& [name, value] : op.attrs) attrs.push_back(attr_table(name, value));
  return table(
      {target(0, text(op.type)), target(1, arguments(op.inputs)), target(2, arguments(op.outputs)), target(3, objects(std::move(attrs)))});
}

inline Writer var_table(const nb::VarDesc& var) {
  Writer tensor = table({scalar(0, var.data_type), target(1, numbers(var.dims))});
  Writer type = table({scalar(0, var.type), target(2, table({target(0, tensor)}))});
  return table({target(0, text(var.name)), target(1, type), scalar(2, static_cast<uint8_t>(var.persistable))});
}

inline Writer program_table(const nb::Model& model) {
  std::vector<Writer> vars, ops;
  for (const nb::VarDesc& var : model.vars) vars.push_back(var_table(var));
  for (const nb::OpDesc& op : model.ops) ops.push_back(op_table(op));
  Writer block = table({target(2, objects(std::move(vars))), target(3, objects(std::move(ops)))});
  return table({target(0, objects({block})), target(1, table({scalar(0, model.program_version)}))});
}

// VarType of an element type.
inline int32_t var_type(DataType dtype) {
  switch (dtype) {
    case DataType::boolean: return 0;
    case DataType::i16: return 1;
    case DataType::i32: return 2;
    case DataType::i64: return 3;
    case DataType::f16: return 4;
    case DataType::f32: return 5;
    case DataType::u8: return 20;
    case DataType::i8: return 21;
  }
  return -1;
}

inline Writer param_table(const std::string& name, std::vector<int64_t> dims, int32_t data_type, std::vector<std::byte> data,
                          uint8_t kind = 1) {
  return table({target(1, text(name)), scalar(2, kind),
                target(3, table({target(2, numbers(std::move(dims))), scalar(3, data_type), target(4, numbers(std::move(data)))}))});
}

inline Writer param_table(const nb::Param& param) {
  return param_table(param.name, {param.shape.dims().begin(), param.shape.dims().end()}, var_type(param.dtype),
                     {param.data.begin(), param.data.end()});
}

struct Container {
  uint16_t meta_version = 2;
  std::string opt_version = "v2.13-rc";
  uint16_t section_version = 0, header_size = 6;
  uint32_t offset = 4;
};

// A whole file around a topology and parameters.
inline Bytes nb_file(const Bytes& topology, const std::vector<Writer>& params, const Container& container = {}) {
  Bytes file;
  append(file, container.meta_version);
  for (size_t i = 0; i < 16; i++)
    append(file, i < container.opt_version.size() ? container.opt_version[i] : i == container.opt_version.size() ? '\0' : '\x7e');
  append(file, static_cast<uint64_t>(topology.size()));
  file.insert(file.end(), topology.begin(), topology.end());
  if (container.meta_version == 1) {
    Bytes section = flatbuffer(table({target(0, objects(params))}));
    file.insert(file.end(), section.begin(), section.end());
    return file;
  }
  append(file, container.section_version);
  append(file, uint16_t{0});
  append(file, container.header_size);
  append(file, static_cast<uint16_t>(params.size()));
  append(file, uint32_t{0});
  for (int i = 6; i < container.header_size; i++) append(file, std::byte{0});
  for (const Writer& param : params) {
    Bytes record = flatbuffer(param);
    append(file, static_cast<uint32_t>(record.size() + container.offset));
    append(file, container.offset);
    for (uint32_t i = 4; i < container.offset; i++) append(file, std::byte{0});
    file.insert(file.end(), record.begin(), record.end());
  }
  return file;
}

inline Bytes nb_file(const nb::Model& model, const Container& container = {}) {
  std::vector<Writer> params;
  for (const nb::Param& param : model.params) params.push_back(param_table(param));
  return nb_file(flatbuffer(program_table(model)), params, container);
}

}  // namespace edgeocr::test
