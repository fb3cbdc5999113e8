// The `.nb` reader, the graph builder, shape inference and planning on hostile bytes: they may only succeed or throw Error.
//
// With -DEDGEOCR_LIBFUZZER it is a libFuzzer target. Else a program of its own:
//   nb_fuzz FOLDER [ITERATIONS] [SEED]
// mutates and truncates every .nb file of FOLDER, ITERATIONS times each, from a fixed seed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "graph/graph.h"
#include "graph/plan.h"
#include "nb/nb.h"

namespace {

// Feed shapes with a size that fits most networks where they are dynamic.
std::vector<edgeocr::Shape> input_shapes(const edgeocr::graph::Graph& graph) {
  std::vector<edgeocr::Shape> shapes = graph.feed_shapes;
  for (edgeocr::Shape& shape : shapes)
    for (int i = 0; i < shape.rank(); i++)
      if (shape[i] < 1) shape[i] = i == 0 ? 1 : 64;
  return shapes;
}

// Whether the bytes were accepted.
bool try_read(std::span<const std::byte> bytes) {
  try {
    edgeocr::graph::Graph graph = edgeocr::graph::build(edgeocr::nb::read(bytes, "fuzz"), "fuzz");
    edgeocr::graph::Plan(graph, input_shapes(graph), {}, 1);
    edgeocr::graph::fuse(graph);
    edgeocr::graph::Plan(graph, input_shapes(graph), {}, 1);
    return true;
  } catch (const edgeocr::Error& e) {
    if (std::strpbrk(e.what(), "\r\n") != nullptr || *e.what() == '\0') {
      std::fprintf(stderr, "error: a message is not one line: %s\n", e.what());
      std::abort();
    }
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try_read(std::as_bytes(std::span(data, size)));
  return 0;
}

#ifndef EDGEOCR_LIBFUZZER

namespace {

using Bytes = std::vector<std::byte>;

void put(Bytes& bytes, size_t at, uint64_t value, size_t size) {
  std::memcpy(bytes.data() + at, &value, std::min(size, bytes.size() - at));
}

// One change; most fall into the container's head and the topology, where the structure is.
void mutate(Bytes& bytes, std::mt19937& random) {
  constexpr uint64_t kEdges[] = {0, 1, 3, 4, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, ~uint64_t{0}};
  auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  uint64_t topology = 0;
  if (bytes.size() > 26) std::memcpy(&topology, bytes.data() + 18, 8);
  size_t structured = std::min<uint64_t>(bytes.size(), 26 + std::min<uint64_t>(topology, bytes.size()));
  size_t at = below(4) == 0 ? below(bytes.size()) : below(10) == 0 ? below(std::min<size_t>(bytes.size(), 26)) : below(structured);
  switch (below(5)) {
    case 0: bytes[at] ^= static_cast<std::byte>(1u << below(8)); break;
    case 1: put(bytes, at, random(), 1); break;
    case 2: put(bytes, at, kEdges[below(std::size(kEdges))], size_t{1} << below(4)); break;
    case 3: put(bytes, at / 4 * 4 + 2, random() % bytes.size(), 4); break;
    default: {
      size_t from = below(bytes.size()), length = std::min({below(64) + 1, bytes.size() - from, bytes.size() - at});
      std::memmove(bytes.data() + at, bytes.data() + from, length);
    }
  }
}

struct Counts {
  size_t inputs = 0, accepted = 0;
};

void fuzz(const Bytes& original, size_t iterations, std::mt19937& random, Counts& counts) {
  for (size_t i = 0; i < iterations; i++) {
    Bytes bytes = original;
    if (i % 4 == 0) bytes.resize(std::uniform_int_distribution<size_t>(1, bytes.size())(random));
    for (size_t changes = i % 4 == 0 ? random() % 2 : 1 + random() % 8; changes > 0; changes--) mutate(bytes, random);
    counts.inputs++;
    counts.accepted += try_read(bytes);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2 || argc > 4) {
    std::fprintf(stderr, "usage: nb_fuzz FOLDER [ITERATIONS] [SEED]\n");
    return 2;
  }
  size_t iterations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000;
  std::mt19937 random(argc > 3 ? static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)) : 1u);
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1]))
    if (entry.path().extension() == ".nb") paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  if (paths.empty()) edgeocr::fail("%s: holds no .nb file", argv[1]);

  Counts counts;
  for (const std::string& path : paths) {
    Bytes original = edgeocr::read_whole_file(path, 64 << 20);
    if (!try_read(original)) edgeocr::fail("%s: the file itself is refused", path.c_str());
    fuzz(original, iterations, random, counts);
  }
  std::printf("%zu inputs from %zu files: %zu accepted, %zu refused\n", counts.inputs, paths.size(), counts.accepted,
              counts.inputs - counts.accepted);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 1;
}

#endif
