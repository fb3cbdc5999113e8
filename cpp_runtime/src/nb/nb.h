// A Paddle-Lite `.nb` file in memory, as written: blocks, variables, operators, parameters. No semantics here; graph/ gives them.
// nb_reader.cpp opens with the byte layout.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/tensor.h"

namespace edgeocr::nb {

inline constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;  // larger files are refused

using Attr = std::variant<int32_t, float, std::string, std::vector<int32_t>, std::vector<float>, std::vector<std::string>, bool,
                          std::vector<bool>, int64_t, std::vector<int64_t>, double, std::vector<double>>;

struct Argument {
  std::string parameter;               // "Input", "Filter", …
  std::vector<std::string> arguments;  // variable names, possibly none
};

struct OpDesc {
  std::string type;
  std::vector<Argument> inputs, outputs;
  std::map<std::string, Attr, std::less<>> attrs;
};

struct VarDesc {
  std::string name;
  int32_t type = 0;       // VarType; 7 = LOD_TENSOR
  int32_t data_type = 5;  // VarType of the elements
  bool persistable = false;
  std::vector<int64_t> dims;  // -1 = dynamic
};

struct Param {
  std::string name;
  DataType dtype = DataType::f32;
  Shape shape;
  std::shared_ptr<const void> owner;  // keeps `data` alive, aligned to 64 bytes
  std::span<const std::byte> data;
};

struct Model {
  uint16_t meta_version = 0;
  std::string opt_version;
  int64_t program_version = 0;
  uint64_t file_bytes = 0, topology_bytes = 0;
  std::vector<VarDesc> vars;  // block 0
  std::vector<OpDesc> ops;    // block 0, in execution order
  std::vector<Param> params;  // sorted by name
};

// `name` is used in messages. Throws Error: "<name>: <what> is X, expected Y".
Model read(std::span<const std::byte> file, const std::string& name);
Model read_file(const std::string& path);

}  // namespace edgeocr::nb
