#include "float_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace {

// A folder of its own, gone at the end.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "edgeocr_test_XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

}  // namespace

TEST_CASE("float file: written values are read back, nothing else is left") {
  const Folder folder;
  const std::vector<float> values{1.5f, -0.0f, 3e38f};
  edgeocr::write_floats(folder / "a.f32", values);
  CHECK(edgeocr::read_floats(folder / "a.f32", 3) == values);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("float file: another size is refused, either way") {
  const Folder folder;
  const std::string path = folder / "a.f32";
  edgeocr::write_floats(path, std::vector<float>{1, 2});
  CHECK_THROWS_WITH_AS(edgeocr::read_floats(path, 3), (path + ": size is 8 bytes, expected 12 (3 fp32 values)").c_str(), edgeocr::Error);
  CHECK_THROWS_AS(edgeocr::read_floats(path, 1), edgeocr::Error);
}

TEST_CASE("float file: a folder that is missing is named") {
  const Folder folder;
  const std::string path = folder / "none/a.f32";
  CHECK_THROWS_WITH_AS(edgeocr::write_floats(path, std::vector<float>{1}), (path + ": cannot write: No such file or directory").c_str(),
                       edgeocr::Error);
}
