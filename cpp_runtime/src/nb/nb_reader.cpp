// The bytes of a `.nb` file, as opt 2.8 to 2.13 writes it; integers little-endian, nothing aligned, nothing padded:
//
//   u16  meta_version      1 or 2
//   16   opt_version       NUL-terminated; what follows the NUL is arbitrary
//   u64  topology_size
//   …    topology          FlatBuffer, root ProgramDesc
//   …    parameters, to the end of the file
//          meta_version 1: FlatBuffer, root CombinedParamsDesc { 0: params [ParamDesc] }
//          meta_version 2: u16 version (0), u16 meta_size, meta_size bytes,
//                          u16 header_size (>= 6), u16 count, u32 max_tensor_bytes (a hint), header_size - 6 bytes,
//                          count x { u32 total_size, u32 offset (>= 4), offset - 4 bytes,
//                                    total_size - offset bytes of FlatBuffer, root ParamDesc }
//
// The FlatBuffer tables (the number is the field's; scalars equal to their default are absent):
//
//   ProgramDesc   0 blocks [BlockDesc]  1 version Version { 0 version i64 }
//   BlockDesc     2 vars [VarDesc]  3 ops [OpDesc]
//   VarDesc       0 name  1 type VarType  2 persistable bool
//   VarType       0 type i32  2 lod_tensor { 0 tensor { 0 data_type i32  1 dims [i64] } }
//   OpDesc        0 type  1 inputs [Var]  2 outputs [Var]  3 attrs [Attr]
//   Var           0 parameter  1 arguments [string]
//   Attr          0 name  1 type i32  2 i i32  3 f f32  4 s  5 ints [i32]  6 floats [f32]  7 strings  8 b bool  9 bools [bool]
//                 10 block_idx i32  11 l i64  12 blocks_idx [i32]  13 longs [i64]  14 float64 f64  15 float64s [f64]
//   ParamDesc     1 name  2 variable_type u8 (1 = LoDTensorDesc)  3 variable { 2 dim [i64]  3 data_type i32  4 data [i8] }
#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "base/aligned.h"
#include "base/error.h"
#include "base/file.h"
#include "nb/cursor.h"
#include "nb/flatbuffer.h"
#include "nb/nb.h"

namespace edgeocr::nb {

namespace {

constexpr size_t kMaxTopologyBytes = size_t{8} << 20;
constexpr size_t kMaxName = 1024;             // of operators, variables, attributes
constexpr size_t kMaxText = size_t{1} << 16;  // of string attributes
constexpr size_t kMaxBlocks = 64, kMaxVars = 1 << 16, kMaxOps = 1 << 13, kMaxParams = 1 << 16;
constexpr size_t kMaxParameters = 64, kMaxArguments = 1 << 10, kMaxAttrs = 1 << 10, kMaxList = 1 << 20;
constexpr int64_t kMaxDim = int64_t{1} << 31;

std::string name_field(const Table& table, int field, const std::string& where, const char* what) {
  std::string name = table.string(field, kMaxName);
  if (name.empty()) fail("%s: a %s has no name", where.c_str(), what);
  return name;
}

// AttrType: 0 INT, 1 FLOAT, …; VAR (13) and VARS (14) have no stored value.
Attr read_attr(const Table& t, const std::string& where, const std::string& name) {
  auto type = t.scalar<int32_t>(1, 0);
  switch (type) {
    case 0: return t.scalar<int32_t>(2, 0);
    case 1: return t.scalar<float>(3, 0);
    case 2: return t.string(4, kMaxText);
    case 3: return t.scalars<int32_t>(5, kMaxList, "INTS");
    case 4: return t.scalars<float>(6, kMaxList, "FLOATS");
    case 5: return t.strings(7, kMaxList, kMaxText, "STRINGS");
    case 6: return t.scalar<uint8_t>(8, 0) != 0;
    case 7: {
      std::vector<uint8_t> bools = t.scalars<uint8_t>(9, kMaxList, "BOOLEANS");
      return std::vector<bool>(bools.begin(), bools.end());
    }
    case 8: return t.scalar<int32_t>(10, 0);
    case 9: return t.scalar<int64_t>(11, 0);
    case 10: return t.scalars<int32_t>(12, kMaxList, "BLOCKS");
    case 11: return t.scalars<int64_t>(13, kMaxList, "LONGS");
    case 12: return t.scalars<double>(15, kMaxList, "FLOAT64S");
    case 15: return t.scalar<double>(14, 0);
    default: fail("%s: attribute %s has type %d, expected 0 to 12 or 15", where.c_str(), name.c_str(), type);
  }
}

std::vector<Argument> read_arguments(const Table& op, int field, const std::string& where) {
  std::vector<Argument> arguments;
  for (const Table& t : op.tables(field, kMaxParameters, "parameter")) {
    Argument argument{name_field(t, 0, where, "parameter"), t.strings(1, kMaxArguments, kMaxName, "argument")};
    for (const Argument& other : arguments)
      if (other.parameter == argument.parameter) fail("%s: parameter %s is listed twice", where.c_str(), argument.parameter.c_str());
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

OpDesc read_op(const Table& t, const std::string& where, size_t index) {
  OpDesc op;
  op.type = name_field(t, 0, where, "operator");
  std::string here = where + ": " + op.type + " #" + std::to_string(index);
  op.inputs = read_arguments(t, 1, here);
  op.outputs = read_arguments(t, 2, here);
  for (const Table& a : t.tables(3, kMaxAttrs, "attribute")) {
    std::string name = name_field(a, 0, here, "attribute");
    Attr value = read_attr(a, here, name);
    auto [where_it_is, added] = op.attrs.emplace(std::move(name), std::move(value));
    if (!added) fail("%s: attribute %s is listed twice", here.c_str(), where_it_is->first.c_str());
  }
  return op;
}

VarDesc read_var(const Table& t, const std::string& where) {
  VarDesc var;
  var.name = name_field(t, 0, where, "variable");
  var.persistable = t.scalar<uint8_t>(2, 0) != 0;
  auto type = t.table(1);
  if (!type) fail("%s: variable %s has no type", where.c_str(), var.name.c_str());
  var.type = type->scalar<int32_t>(0, 0);
  if (auto lod_tensor = type->table(2))
    if (auto tensor = lod_tensor->table(0)) {
      var.data_type = tensor->scalar<int32_t>(0, 0);
      var.dims = tensor->scalars<int64_t>(1, Shape::kMaxRank, "dimension");
    }
  return var;
}

void read_topology(std::span<const std::byte> bytes, const std::string& name, Model& model) {
  std::string where = name + ": topology";
  FlatBuffer buffer(bytes, where);
  Table program = buffer.root();
  if (auto version = program.table(1)) model.program_version = version->scalar<int64_t>(0, 0);
  std::vector<Table> blocks = program.tables(0, kMaxBlocks, "block");
  if (blocks.empty()) fail("%s: block count is 0, expected at least 1", where.c_str());
  for (const Table& t : blocks[0].tables(2, kMaxVars, "variable")) model.vars.push_back(read_var(t, where));
  for (const Table& t : blocks[0].tables(3, kMaxOps, "operator")) model.ops.push_back(read_op(t, where, model.ops.size()));
}

DataType data_type(int32_t var_type, const std::string& where) {
  switch (var_type) {
    case 0: return DataType::boolean;
    case 1: return DataType::i16;
    case 2: return DataType::i32;
    case 3: return DataType::i64;
    case 4: return DataType::f16;
    case 5: return DataType::f32;
    case 20: return DataType::u8;
    case 21: return DataType::i8;
    default: fail("%s: data_type is %d, expected 0 to 5, 20 or 21", where.c_str(), var_type);
  }
}

// Elements of a parameter's shape.
uint64_t checked_count(std::span<const int64_t> dims, const std::string& where) {
  uint64_t count = 1;
  for (size_t i = 0; i < dims.size(); i++) {
    if (dims[i] < 1 || dims[i] > kMaxDim)
      fail("%s: dimension %zu is %" PRId64 ", expected 1 to %" PRId64, where.c_str(), i, dims[i], kMaxDim);
    if (count > kMaxFileBytes / static_cast<uint64_t>(dims[i]))
      fail("%s: its dimensions make more than %" PRIu64 " elements", where.c_str(), kMaxFileBytes);
    count *= static_cast<uint64_t>(dims[i]);
  }
  return count;
}

Param read_param(const Table& t, const std::string& name) {
  Param param;
  param.name = name_field(t, 1, name, "parameter");
  std::string where = name + ": parameter " + param.name;
  if (auto kind = t.scalar<uint8_t>(2, 0); kind != 1) fail("%s: variable_type is %d, expected 1 (LoDTensor)", where.c_str(), kind);
  auto variable = t.table(3);
  if (!variable) fail("%s: has no tensor", where.c_str());

  std::vector<int64_t> dims = variable->scalars<int64_t>(2, Shape::kMaxRank, "dimension");
  param.dtype = data_type(variable->scalar<int32_t>(3, 0), where);
  uint64_t bytes = checked_count(dims, where) * size_of(param.dtype);
  param.shape = Shape(dims);
  std::span<const std::byte> data = variable->bytes(4);
  if (data.size() != bytes)
    fail("%s: data is %zu bytes, expected %" PRIu64 " (%s %s)", where.c_str(), data.size(), bytes, param.shape.str().c_str(),
         name_of(param.dtype));
  auto memory = allocate_aligned(data.size(), where.c_str());
  std::memcpy(memory.get(), data.data(), data.size());
  param.data = {memory.get(), data.size()};
  param.owner = std::move(memory);
  return param;
}

void read_params_v1(std::span<const std::byte> bytes, const std::string& name, Model& model) {
  FlatBuffer buffer(bytes, name + ": parameters");
  for (const Table& t : buffer.root().tables(0, kMaxParams, "parameter")) model.params.push_back(read_param(t, name));
}

void read_params_v2(Cursor& file, const std::string& name, Model& model) {
  if (auto version = file.read<uint16_t>("parameter section version"); version != 0)
    fail("%s: parameter section version is %u, expected 0", name.c_str(), version);
  file.take(file.read<uint16_t>("meta_size"), "parameter section meta");
  auto header_size = file.read<uint16_t>("header_size");
  if (header_size < 6) fail("%s: header_size is %u, expected at least 6", name.c_str(), header_size);
  auto count = file.read<uint16_t>("parameter count");
  file.read<uint32_t>("max_tensor_bytes");
  file.take(header_size - 6u, "parameter section header");

  for (uint32_t i = 0; i < count; i++) {
    auto total_size = file.read<uint32_t>("parameter size");
    Cursor record(file.take(total_size, "parameter"), name);
    auto offset = record.read<uint32_t>("parameter offset");
    if (offset < 4 || offset > total_size) fail("%s: offset of parameter %u is %u, expected 4 to %u", name.c_str(), i, offset, total_size);
    record.take(offset - 4, "parameter header");
    FlatBuffer buffer(record.take(record.remaining(), "parameter"), name + ": parameter " + std::to_string(i));
    model.params.push_back(read_param(buffer.root(), name));
  }
  if (file.remaining() != 0)
    fail("%s: %zu bytes follow the last of %u parameters at byte %zu, expected none", name.c_str(), file.remaining(), count,
         file.position());
}

void sort_params(Model& model, const std::string& name) {
  std::ranges::sort(model.params, {}, &Param::name);
  auto twin = std::ranges::adjacent_find(model.params, {}, &Param::name);
  if (twin != model.params.end()) fail("%s: parameter %s is listed twice", name.c_str(), twin->name.c_str());
}

// Printable ASCII up to the NUL: builds of opt write a tag or a commit hash here.
std::string version_text(std::span<const std::byte> field) {
  std::string text;
  for (std::byte b : field) {
    char c = std::to_integer<char>(b);
    if (c < 0x20 || c > 0x7E) break;
    text += c;
  }
  return text;
}

}  // namespace

Model read(std::span<const std::byte> bytes, const std::string& name) {
  Model model;
  model.file_bytes = bytes.size();
  Cursor file(bytes, name);
  model.meta_version = file.read<uint16_t>("meta_version");
  if (model.meta_version == 0)
    fail("%s: meta_version is 0 (Paddle-Lite before 2.7), expected 1 or 2: convert the model again with a newer opt", name.c_str());
  if (model.meta_version > 2) fail("%s: meta_version is %u, expected 1 or 2: not a .nb file", name.c_str(), model.meta_version);
  model.opt_version = version_text(file.take(16, "opt_version"));
  model.topology_bytes = file.read<uint64_t>("topology_size");
  if (model.topology_bytes > file.remaining())
    fail("%s: topology_size is %" PRIu64 ", expected at most %zu (file size minus 26): the file is truncated or not a .nb", name.c_str(),
         model.topology_bytes, file.remaining());
  if (model.topology_bytes > kMaxTopologyBytes)
    fail("%s: topology_size is %" PRIu64 ", expected at most %zu", name.c_str(), model.topology_bytes, kMaxTopologyBytes);

  read_topology(file.take(model.topology_bytes, "topology"), name, model);
  if (model.meta_version == 1) {
    read_params_v1(file.take(file.remaining(), "parameters"), name, model);
  } else {
    read_params_v2(file, name, model);
  }
  sort_params(model, name);
  return model;
}

Model read_file(const std::string& path) { return read(read_whole_file(path, kMaxFileBytes), path); }

}  // namespace edgeocr::nb
