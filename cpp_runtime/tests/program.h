// Small programs for tests, as a `.nb` file would hold them, and their bytes.
#pragma once

#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/error.h"
#include "nb/nb.h"

namespace edgeocr::test {

using Arguments = std::vector<std::pair<std::string, std::vector<std::string>>>;
using Attrs = std::vector<std::pair<std::string, nb::Attr>>;

// Builds a Model operator by operator:
//   Program p;
//   p.feed("x", {-1, 3, -1, -1}).op("relu", {{"X", {"x"}}}, {{"Out", {"y"}}}).fetch("y");
class Program {
 public:
  Program& feed(const std::string& name, std::vector<int64_t> dims, int32_t col = 0) {
    model_.vars.push_back({name, 7, 5, false, std::move(dims)});
    model_.ops.push_back({"feed", {{"X", {"feed"}}}, {{"Out", {name}}}, {{"col", col}}});
    return *this;
  }
  Program& fetch(const std::string& name, int32_t col = 0) {
    model_.ops.push_back({"fetch", {{"X", {name}}}, {{"Out", {"fetch"}}}, {{"col", col}}});
    return *this;
  }
  // `kernel` is the part of __@kernel_type_attr@__ behind the operator's name.
  Program& op(const std::string& type, const Arguments& inputs, const Arguments& outputs, const Attrs& attrs = {},
              const std::string& kernel = "def/4/1/1") {
    nb::OpDesc op;
    op.type = type;
    for (const auto& [parameter, names] : inputs) op.inputs.push_back({parameter, names});
    for (const auto& [parameter, names] : outputs) op.outputs.push_back({parameter, names});
    for (const auto& [name, value] : attrs) op.attrs[name] = value;
    op.attrs["__@kernel_type_attr@__"] = type + "/" + kernel;
    model_.ops.push_back(std::move(op));
    return *this;
  }
  template <class T> Program& param(const std::string& name, DataType dtype, const Shape& shape, const std::vector<T>& values) {
    nb::Param param{name, dtype, shape, nullptr, {}};
    size_t bytes = values.size() * sizeof(T);
    auto memory = allocate_aligned(bytes, "test");
    std::memcpy(memory.get(), values.data(), bytes);
    param.data = {memory.get(), bytes};
    param.owner = std::move(memory);
    model_.params.push_back(std::move(param));
    return *this;
  }
  // fp32, all of one value.
  Program& filled(const std::string& name, const Shape& shape, float value = 1) {
    return param(name, DataType::f32, shape, std::vector<float>(static_cast<size_t>(shape.count()), value));
  }

  nb::Model& model() { return model_; }

 private:
  nb::Model model_;
};

// What `action` throws, "" if nothing.
template <class Action> std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

// The `.nb` files of the test data, none where EDGEOCR_TEST_DATA is not set.
inline std::vector<std::string> test_models() {
  std::vector<std::string> paths;
  const char* root = std::getenv("EDGEOCR_TEST_DATA");
  if (root == nullptr) return paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(root) / "models"))
    if (entry.path().extension() == ".nb") paths.push_back(entry.path().string());
  return paths;
}

}  // namespace edgeocr::test
