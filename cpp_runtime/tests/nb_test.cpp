#include "nb/nb.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "nb_bytes.h"
#include "program.h"

using namespace edgeocr;
using namespace edgeocr::test;

namespace {

Program small_program() {
  Program p;
  p.feed("x", {-1, 3, -1, -1}).param("w", DataType::i8, {2, 3, 1, 1}, std::vector<int8_t>{1, -2, 3, -4, 5, -127}).filled("b", {2}, 0.5f);
  p.op("conv2d", {{"Bias", {"b"}}, {"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"y"}}},
       {{"i", int32_t{-7}},
        {"f", 0.25f},
        {"s", std::string("hard_swish")},
        {"ints", std::vector<int32_t>{1, -2}},
        {"floats", std::vector<float>{0.5f, -1}},
        {"strings", std::vector<std::string>{"a", ""}},
        {"b", true},
        {"bools", std::vector<bool>{true, false, true}},
        {"l", int64_t{1} << 40},
        {"longs", std::vector<int64_t>{-1, int64_t{1} << 50}},
        {"d", 0.1},
        {"doubles", std::vector<double>{0.1, 0.2}}},
       "int8_out/4/2/1");
  p.fetch("y");
  p.model().program_version = 2006002;
  return p;
}

Bytes topology_of(Program& p) { return flatbuffer(program_table(p.model())); }

std::string reject(const Bytes& file) {
  return error_of([&] { nb::read(file, "t.nb"); });
}

Writer one_byte_param(const std::string& name) { return param_table(name, {1}, 21, {std::byte{1}}); }

// Files around the small program whose only parameter is `param`.
std::string reject_param(const Writer& param, const Container& container = {}) {
  Program p = small_program();
  return reject(nb_file(topology_of(p), {param}, container));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("nb: both metadata versions read back as written") {
  Program p = small_program();
  for (uint16_t version : {uint16_t{1}, uint16_t{2}})
    for (const Container& container : {Container{version}, Container{version, "d9e63bb", 0, 10, 12}, Container{version, ""}}) {
      Bytes file = nb_file(p.model(), container);
      nb::Model m = nb::read(file, "t.nb");
      CHECK(m.meta_version == version);
      CHECK(m.opt_version == container.opt_version);
      CHECK(m.program_version == 2006002);
      CHECK(m.file_bytes == file.size());
      REQUIRE(m.vars.size() == 1);
      CHECK(m.vars[0].name == "x");
      CHECK(m.vars[0].data_type == 5);
      CHECK(m.vars[0].dims == std::vector<int64_t>{-1, 3, -1, -1});
      REQUIRE(m.ops.size() == 3);
      const nb::OpDesc& conv = m.ops[1];
      CHECK(conv.type == "conv2d");
      REQUIRE(conv.inputs.size() == 3);
      CHECK(conv.inputs[1].parameter == "Filter");
      CHECK(conv.inputs[1].arguments == std::vector<std::string>{"w"});
      CHECK(conv.attrs == p.model().ops[1].attrs);
      REQUIRE(m.params.size() == 2);
      CHECK(m.params[0].name == "b");  // sorted by name
      CHECK(m.params[1].dtype == DataType::i8);
      CHECK(m.params[1].shape == Shape{2, 3, 1, 1});
      CHECK(std::ranges::equal(m.params[1].data, p.model().params[0].data));
    }
}

TEST_CASE("nb: every element type is read, to memory aligned to 64 bytes") {
  Program p = small_program();
  std::vector<Writer> params;
  const DataType types[] = {DataType::f32, DataType::f16, DataType::i8, DataType::i16,
                            DataType::i32, DataType::i64, DataType::u8, DataType::boolean};
  for (DataType type : types)
    params.push_back(param_table(std::string("p_") + name_of(type), {3, 1}, var_type(type), Bytes(3 * size_of(type), std::byte{7})));
  params.push_back(param_table("scalar", {}, 5, Bytes(4)));
  nb::Model m = nb::read(nb_file(topology_of(p), params), "t.nb");
  REQUIRE(m.params.size() == std::size(types) + 1);
  for (const nb::Param& param : m.params) {
    CHECK(reinterpret_cast<uintptr_t>(param.data.data()) % 64 == 0);
    CHECK(param.data.size() == static_cast<size_t>(param.shape.count()) * size_of(param.dtype));
    if (param.shape.rank() == 2) CHECK(std::ranges::all_of(param.data, [](std::byte b) { return b == std::byte{7}; }));
  }
}

TEST_CASE("nb: the container's head is checked") {
  Program p = small_program();
  Bytes good = nb_file(p.model());
  auto with = [&](size_t at, auto value) {
    Bytes file = good;
    overwrite(file, at, value);
    return reject(file);
  };
  CHECK(with(0, uint16_t{0}) ==
        "t.nb: meta_version is 0 (Paddle-Lite before 2.7), expected 1 or 2: convert the model again with a newer opt");
  CHECK(with(0, uint16_t{0x5089}) == "t.nb: meta_version is 20617, expected 1 or 2: not a .nb file");
  CHECK(with(18, uint64_t{1} << 63) == "t.nb: topology_size is 9223372036854775808, expected at most " + std::to_string(good.size() - 26) +
                                           " (file size minus 26): the file is truncated or not a .nb");
  CHECK(contains(with(26, uint32_t{0}), "t.nb: topology: root table offset at byte 0 is 0, expected 1 to "));
  CHECK(reject({}) == "t.nb: meta_version takes 2 bytes at byte 0, expected at most 0: the file is truncated or not a .nb");

  Container bad;
  bad.section_version = 1;
  CHECK(reject(nb_file(p.model(), bad)) == "t.nb: parameter section version is 1, expected 0");
  bad = {};
  bad.header_size = 5;
  CHECK(reject(nb_file(p.model(), bad)) == "t.nb: header_size is 5, expected at least 6");
  bad = {};
  bad.offset = 3;
  CHECK(contains(reject(nb_file(p.model(), bad)), "t.nb: offset of parameter 0 is 3, expected 4 to "));
  Bytes longer = good;
  longer.push_back(std::byte{0});
  CHECK(contains(reject(longer), "t.nb: 1 bytes follow the last of 2 parameters"));
}

TEST_CASE("nb: a file cut anywhere is refused") {
  Program p = small_program();
  for (uint16_t version : {uint16_t{1}, uint16_t{2}}) {
    Bytes file = nb_file(p.model(), {version});
    for (size_t length = 0; length < file.size(); length++) {
      std::string why = reject(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length)));
      INFO(version, " ", length, " ", why);
      CHECK(contains(why, "t.nb: "));
    }
  }
}

TEST_CASE("nb: any byte may change to anything: the reader accepts or refuses, with one line") {
  Program p = small_program();
  std::mt19937 random(1);
  for (uint16_t version : {uint16_t{1}, uint16_t{2}}) {
    const Bytes good = nb_file(p.model(), {version});
    size_t refused = 0;
    for (size_t at = 0; at < good.size(); at++)
      for (unsigned value : {0u, 1u, 0x7Fu, 0x80u, 0xFFu, static_cast<unsigned>(random() & 0xFF)}) {
        Bytes file = good;
        file[at] = static_cast<std::byte>(value);
        std::string why = reject(file);
        CHECK(why.find('\n') == std::string::npos);
        refused += why.empty() ? 0 : 1;
      }
    CHECK(refused > good.size());  // most bytes are structure
  }
}

TEST_CASE("nb: parameters must be what they say") {
  CHECK(reject_param(param_table("w", {2, 3}, 5, Bytes(23))) == "t.nb: parameter w: data is 23 bytes, expected 24 (2x3 fp32)");
  CHECK(reject_param(param_table("w", {2, -1}, 5, Bytes(8))) == "t.nb: parameter w: dimension 1 is -1, expected 1 to 2147483648");
  CHECK(reject_param(param_table("w", {0}, 5, {})) == "t.nb: parameter w: dimension 0 is 0, expected 1 to 2147483648");
  CHECK(reject_param(param_table("w", {1 << 30, 1 << 30, 1 << 30}, 21, Bytes(8))) ==
        "t.nb: parameter w: its dimensions make more than 268435456 elements");
  CHECK(reject_param(param_table("w", {1}, 6, Bytes(8))) == "t.nb: parameter w: data_type is 6, expected 0 to 5, 20 or 21");
  CHECK(contains(reject_param(param_table("w", std::vector<int64_t>(7, 1), 21, Bytes(1))), "dimension count at byte "));
  CHECK(reject_param(param_table("w", {1}, 21, Bytes(1), 2)) == "t.nb: parameter w: variable_type is 2, expected 1 (LoDTensor)");
  CHECK(reject_param(table({target(1, text("w")), scalar(2, uint8_t{1})})) == "t.nb: parameter w: has no tensor");
  CHECK(reject_param(param_table("", {1}, 21, Bytes(1))) == "t.nb: a parameter has no name");
  Program p = small_program();
  CHECK(reject(nb_file(topology_of(p), {one_byte_param("w"), one_byte_param("w")})) == "t.nb: parameter w is listed twice");
}

TEST_CASE("nb: attributes and operators must be what they say") {
  auto topology = [](const Writer& op) { return flatbuffer(table({target(0, objects({table({target(3, objects({op}))})}))})); };
  auto with_attrs = [&](std::vector<Writer> attrs) {
    return reject(nb_file(topology(table({target(0, text("relu")), target(3, objects(std::move(attrs)))})), {}));
  };
  CHECK(with_attrs({table({target(0, text("a")), scalar(1, int32_t{13})})}) ==
        "t.nb: topology: relu #0: attribute a has type 13, expected 0 to 12 or 15");
  CHECK(with_attrs({attr_table("a", 1.0f), attr_table("a", int32_t{1})}) == "t.nb: topology: relu #0: attribute a is listed twice");
  CHECK(with_attrs({table({scalar(1, int32_t{0})})}) == "t.nb: topology: relu #0: a attribute has no name");
  CHECK(reject(nb_file(topology(table({})), {})) == "t.nb: topology: a operator has no name");
  CHECK(reject(nb_file(topology(table({target(0, text("relu")), target(1, arguments({{"X", {"a"}}, {"X", {"b"}}}))})), {})) ==
        "t.nb: topology: relu #0: parameter X is listed twice");
  CHECK(reject(nb_file(flatbuffer(table({})), {})) == "t.nb: topology: block count is 0, expected at least 1");
  // Absent scalars are defaults: INT 0.
  Bytes file = nb_file(topology(table({target(0, text("relu")), target(3, objects({table({target(0, text("axis"))})}))})), {});
  CHECK(std::get<int32_t>(nb::read(file, "t.nb").ops[0].attrs.at("axis")) == 0);
}

TEST_CASE("nb: tables, strings and vectors must lie inside the buffer") {
  // A topology whose root table holds one vector of blocks, at byte 4; its fields are easy to find.
  Bytes root = flatbuffer(table({target(0, objects({table({})}))}));
  auto with = [&](size_t at, auto value) {
    Bytes bytes = root;
    overwrite(bytes, at, value);
    return reject(nb_file(bytes, {}));
  };
  REQUIRE(reject(nb_file(root, {})) == "");
  CHECK(contains(with(4, uint16_t{5}), "vtable at byte 4 has size 5, expected an even size of at least 4"));
  CHECK(contains(with(4, uint16_t{0xFFFE}), "vtable at byte 4 takes 65534 bytes"));
  CHECK(contains(with(6, uint16_t{3}), "has size 3, expected at least 4"));
  CHECK(contains(with(6, uint16_t{0x7FFF}), "table at byte 10 takes 32767 bytes"));
  CHECK(contains(with(8, uint16_t{5}), "field 0 of the table at byte 10 has offset 5 and 4 bytes, expected inside 4 to 8"));
  CHECK(contains(with(10, int32_t{-1000000}), "vtable of the table at byte 10 is at 1000010"));
  CHECK(contains(with(14, uint32_t{0xFFFFFFFF}), "field offset at byte 14 is 4294967295"));
  CHECK(contains(with(18, uint32_t{65}), "block count at byte 18 is 65, expected at most 64"));
  CHECK(contains(with(18, uint32_t{60}), "block at byte 22 takes 240 bytes"));

  Program p;
  p.op("relu", {}, {});
  Bytes topology = topology_of(p);
  const std::string name = "relu";
  auto found = std::search(topology.begin(), topology.end(), reinterpret_cast<const std::byte*>(name.data()),
                           reinterpret_cast<const std::byte*>(name.data()) + 5);  // with its NUL
  REQUIRE(found != topology.end());
  found[4] = std::byte{'x'};
  CHECK(contains(reject(nb_file(topology, {})), "ends with byte 120, expected NUL"));
}

TEST_CASE("nb: a small file cannot ask for much memory by pointing at one thing many times") {
  // 8000 operators that are all the same table with a list of 1000 numbers: 36 kB of file, 8 M numbers.
  std::vector<int32_t> list(1000, 1);
  Bytes topology = flatbuffer(table({target(0, objects({table({target(3, [&](Bytes& bytes) {
                                              size_t at = bytes.size();
                                              append(bytes, uint32_t{8000});
                                              bytes.resize(bytes.size() + 4 * 8000);
                                              size_t op = op_table({"relu", {}, {}, {{"list", list}}})(bytes);
                                              for (size_t i = 0; i < 8000; i++)
                                                overwrite(bytes, at + 4 + 4 * i, static_cast<uint32_t>(op - (at + 4 + 4 * i)));
                                              return at;
                                            })})}))}));
  CHECK(contains(reject(nb_file(topology, {})), "its tables name more than"));
}

TEST_CASE("nb: the public models are read whole") {
  std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("skipped: EDGEOCR_TEST_DATA is not set");
  for (const std::string& path : paths) {
    nb::Model m = nb::read_file(path);
    CHECK(m.meta_version == 2);
    CHECK(m.opt_version.starts_with("v2.10"));
    CHECK(m.ops.size() > 100);
    CHECK(m.params.size() > 80);
    CHECK(m.ops.front().type == "feed");
    CHECK(m.ops.back().type == "fetch");
  }
}

TEST_CASE("nb: files that cannot be read say why") {
  CHECK(error_of([] { nb::read_file("/nowhere/det.nb"); }) == "/nowhere/det.nb: cannot open: No such file or directory");
  CHECK(error_of([] { nb::read_file("/"); }) == "/: is a directory, expected a file");
  CHECK(error_of([] { nb::read_file("/dev/null"); }) == "/dev/null: is not a regular file");
}
