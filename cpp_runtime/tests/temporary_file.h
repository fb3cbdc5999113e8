// Files that tests hand over by their paths.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "nb_bytes.h"

namespace edgeocr::test {

// Goes when the test ends. `suffix`: of its name, ".nb".
class TemporaryFile {
 public:
  explicit TemporaryFile(const Bytes& bytes, const std::string& suffix = ".nb")
      : path_(std::filesystem::temp_directory_path() /
              ("edgeocr_" + std::to_string(::getpid()) + "_" + std::to_string(count_++) + suffix)) {
    std::ofstream(path_, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  std::string str() const { return path_.string(); }

 private:
  inline static int count_ = 0;
  std::filesystem::path path_;
};

}  // namespace edgeocr::test
