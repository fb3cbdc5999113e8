// Whole files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace edgeocr {

// Fails with "<path>: cannot open: <why>", "<path>: is a directory, expected a file" or
// "<path>: size is N bytes, expected at most M".
std::vector<std::byte> read_whole_file(const std::string& path, uint64_t max_bytes);

}  // namespace edgeocr
