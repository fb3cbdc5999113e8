// Tensors as files: raw little-endian fp32, no header.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace edgeocr {

// Fails unless the file holds exactly `count` values.
std::vector<float> read_floats(const std::string& path, int64_t count);
// The file appears whole or not at all: written under a temporary name beside it, then renamed.
void write_floats(const std::string& path, std::span<const float> values);

}  // namespace edgeocr
