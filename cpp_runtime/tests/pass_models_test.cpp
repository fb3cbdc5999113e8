// The fused graph of real files against the file's own operators, both on the plain kernels; bands of rows against whole maps; several
// threads against one.
#include <algorithm>
#include <cstring>

#include "edgeocr/session.h"
#include "graph/graph.h"
#include "graph/passes/lower_to_fp16.h"
#include "graph/precision.h"
#include "graph_runner.h"
#include "kernel_harness.h"
#include "nb/nb.h"
#include "program.h"

using namespace edgeocr;
using namespace edgeocr::test;

namespace {

std::vector<float> result(Session& session, const Shape& shape) {
  const TensorView input = session.prepare({&shape, 1});
  kernel_test::Random random(5);
  const kernel_test::Dense<float> x = random.reals(shape);
  kernels::generic::copy_strided(shape, sizeof(float), x.data.data(), kernels::generic::row_major_strides(shape), input.data,
                                 kernels::generic::strides_of(input));
  session.run();
  const TensorView output = session.output();
  kernel_test::Dense<float> dense(output.shape);
  kernels::generic::copy_strided(output.shape, sizeof(float), output.data, kernels::generic::strides_of(output), dense.data.data(),
                                 kernels::generic::row_major_strides(output.shape));
  return dense.data;
}

std::vector<Shape> shapes_of(const std::string& path) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  if (name.find("det") != std::string::npos) return {{1, 3, 640, 640}, {1, 3, 512, 352}};
  if (name.find("rec") != std::string::npos) return {{1, 3, 32, 320}, {1, 3, 32, 417}};
  return {{1, 3, 48, 192}, {2, 3, 48, 192}};
}

// Largest difference over the shapes above, after checking that the fused plan has fewer nodes.
float largest_difference(const std::string& path) {
  SessionOptions plain;
  plain.generic_only = true;
  SessionOptions joined = plain;
  joined.fuse = true;
  joined.threads = 2;
  Session before = Session::load(path, plain), after = Session::load(path, joined);
  float largest = 0;
  for (const Shape& shape : shapes_of(path)) {
    const std::vector<float> expected = result(before, shape), actual = result(after, shape);
    CHECK(after.nodes().size() < before.nodes().size());
    REQUIRE(actual.size() == expected.size());
    for (size_t i = 0; i < actual.size(); i++) largest = std::max(largest, std::fabs(actual[i] - expected[i]));
  }
  return largest;
}

// Differences between runs in bands, on two threads, and runs of whole maps on one.
size_t different_in_bands(const std::string& path) {
  SessionOptions whole, bands;
  whole.in_bands = false;
  bands.in_bands = true;
  bands.threads = 2;
  Session before = Session::load(path, whole), after = Session::load(path, bands);
  size_t different = 0;
  for (const Shape& shape : shapes_of(path)) {
    const std::vector<float> expected = result(before, shape), actual = result(after, shape);
    CHECK(std::ranges::none_of(before.nodes(), [](const NodeProfile& node) { return node.band_rows > 0; }));
    if (path.find("det") != std::string::npos) {
      CHECK(std::ranges::count_if(after.nodes(), [](const NodeProfile& node) { return node.band_rows > 0; }) > 5);
      CHECK(after.arena_bytes() < before.arena_bytes());
    }
    REQUIRE(actual.size() == expected.size());
    for (size_t i = 0; i < actual.size(); i++) different += actual[i] != expected[i] ? 1 : 0;
  }
  return different;
}

float fp16_difference(const std::string& path, const Shape& shape) {
  SessionOptions half;
  half.precision = Precision::fp16;
  Session fp32 = Session::load(path), fp16 = Session::load(path, half);
  const std::vector<float> expected = result(fp32, shape), actual = result(fp16, shape);
  CHECK(std::ranges::any_of(fp16.nodes(), [](const NodeProfile& node) { return node.kernel.find("fp16") != std::string::npos; }));
  REQUIRE(actual.size() == expected.size());
  float largest = 0;
  for (size_t i = 0; i < actual.size(); i++) largest = std::max(largest, std::fabs(actual[i] - expected[i]));
  return largest;
}

// The ways of computing a file that this processor has.
std::vector<std::pair<std::string, SessionOptions>> modes_of(const std::string& path) {
  SessionOptions plain, usual, fast, composed, fp16, dynamic;
  plain.generic_only = true;  // loaded sooner
  fast.int8 = Int8::fast;
  composed.int8 = Int8::composed;
  fp16.precision = Precision::fp16;
  dynamic.dynamic_int8 = true;
  std::vector<std::pair<std::string, SessionOptions>> modes;
  if (graph::has_int8(Session::load(path, plain).graph())) {
    modes.emplace_back("int8 exact", usual);
    if (path.find("cls") == std::string::npos) modes.emplace_back("int8 fast", fast);  // of classifiers it changes nothing
    if (path.find("det") != std::string::npos) modes.emplace_back("int8 composed", composed);
  } else {
    modes.emplace_back("fp32", usual);
    if (kernels::has_fp16()) modes.emplace_back("fp16", fp16);
    if (path.find("rec") != std::string::npos) modes.emplace_back("dynamic int8", dynamic);
  }
  return modes;
}

// All files of tests, and the project's own.
std::vector<std::string> models() {
  std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("only on the project's own: EDGEOCR_TEST_DATA is not set");
  for (const char* net : {"none/det.nb", "none/rec.nb", "pact/det.nb", "pact/rec.nb"})
    paths.push_back((std::filesystem::path(EDGEOCR_MODELS) / "edgeocr_en" / net).string());
  return paths;
}

}  // namespace

TEST_CASE("threads: networks give the same bits with one to four") {
  for (const std::string& path : models())
    for (auto& [mode, options] : modes_of(path)) {
      CAPTURE(path);
      CAPTURE(mode);
      const Shape shape = path.find("det") != std::string::npos ? Shape{1, 3, 96, 64} : shapes_of(path)[0];
      Session alone = Session::load(path, options);
      const std::vector<float> expected = result(alone, shape);
      for (options.threads = 2; options.threads <= 4; options.threads++) {
        CAPTURE(options.threads);
        Session session = Session::load(path, options);
        CHECK(result(session, shape) == expected);
      }
    }
}

TEST_CASE("fp16: probabilities of networks stay close to those of fp32") {
  if (!kernels::has_fp16()) {
    MESSAGE("skipped: this processor has no fp16 arithmetic");
    return;
  }
  const std::filesystem::path folder = EDGEOCR_MODELS;
  CHECK(fp16_difference((folder / "edgeocr_en/none/det.nb").string(), {1, 3, 64, 96}) <= 0.02f);
  CHECK(fp16_difference((folder / "edgeocr_en/none/rec.nb").string(), {1, 3, 32, 96}) <= 0.02f);
}

TEST_CASE("dynamic int8: probabilities of a network stay close to those of fp32, in fp16 too") {
  const std::string path = (std::filesystem::path(EDGEOCR_MODELS) / "edgeocr_en/none/rec.nb").string();
  const auto largest_difference = [&](SessionOptions options) {
    const Shape shape{1, 3, 32, 320};
    Session fp32 = Session::load(path, options);
    options.dynamic_int8 = true;
    Session dynamic = Session::load(path, options);
    const std::vector<float> expected = result(fp32, shape), actual = result(dynamic, shape);
    CHECK(std::ranges::count_if(dynamic.nodes(), [](const NodeProfile& node) { return node.op == "dynamic_fc"; }) > 0);
    CHECK(dynamic.weight_bytes() < fp32.weight_bytes());
    CHECK(dynamic.macs() == fp32.macs());
    REQUIRE(actual.size() == expected.size());
    float largest = 0;
    for (size_t i = 0; i < actual.size(); i++) largest = std::max(largest, std::fabs(actual[i] - expected[i]));
    return largest;
  };
  SessionOptions usual, plain, fp16;
  plain.generic_only = true;
  plain.fuse = true;
  fp16.precision = Precision::fp16;
  CHECK(largest_difference(usual) <= 0.02f);
  CHECK(largest_difference(plain) <= 0.02f);
  if (kernels::has_fp16()) CHECK(largest_difference(fp16) <= 0.02f);
}

TEST_CASE("bands: networks give the same bits as in whole maps") {
  std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("only on the project's own: EDGEOCR_TEST_DATA is not set");
  for (const char* net : {"edgeocr_en/none/det.nb", "edgeocr_en/none/rec.nb"})
    paths.push_back((std::filesystem::path(EDGEOCR_MODELS) / net).string());
  for (const std::string& path : paths) {
    CAPTURE(path);
    CHECK(different_in_bands(path) == 0);
  }
}

TEST_CASE("fusion: int8 networks give the same bits") {
  const std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("skipped: EDGEOCR_TEST_DATA is not set");
  for (const std::string& path : paths) {
    CAPTURE(path);
    CHECK(largest_difference(path) == 0);
  }
}

TEST_CASE("fusion: composed int8 gives the same bits with every kernel set, but for shorter ways to results") {
  const std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("skipped: EDGEOCR_TEST_DATA is not set");
  for (const std::string& path : paths) {
    if (path.find("_det") == std::string::npos) continue;
    CAPTURE(path);
    const auto fused = [&](Int8 int8) {
      graph::Graph graph = graph::build(nb::read_file(path), path);
      graph::fuse(graph, int8);
      return graph;
    };
    const auto over_upsampled = [](const graph::Graph& graph) {
      return std::ranges::count(graph.nodes, "conv2d_over_upsampled", &graph::Node::op);
    };
    CHECK(over_upsampled(fused(Int8::fast)) == over_upsampled(fused(Int8::exact)));
    graph::Graph graph = fused(Int8::composed);
    // v2.0 has a sum that is clipped a lot (compose_int8_fpn.h).
    CHECK(over_upsampled(graph) == (path.find("v2.0") == std::string::npos ? 3 : 2));
    CHECK(std::ranges::any_of(graph.nodes, graph::is_fast_int8));
    for (graph::Node& node : graph.nodes) node.attrs.erase(graph::kFastInt8);
    for (const Shape& shape : {Shape{1, 3, 160, 96}, Shape{1, 3, 64, 224}}) {
      kernel_test::Random random(5);
      const std::vector input{random.reals(shape)};
      CHECK(GraphRun(graph, input, kernels::kernel_sets()).output().data == GraphRun(graph, input).output().data);
    }
  }
}

TEST_CASE("fp16: fast int8 gives its fp32 part close to what fp32 gives") {
  if (!kernels::has_fp16()) {
    MESSAGE("skipped: this processor has no fp16 arithmetic");
    return;
  }
  std::vector<std::string> paths;
  for (const std::string& path : models())
    if (path.find("det") != std::string::npos && modes_of(path).back().first == "int8 composed") paths.push_back(path);
  CHECK(!paths.empty());
  for (const std::string& path : paths) {
    CAPTURE(path);
    SessionOptions with, without;
    with.int8 = without.int8 = Int8::composed;
    without.fast_fp16 = false;
    Session half = Session::load(path, with), full = Session::load(path, without);
    const Shape shape{1, 3, 160, 96};
    const std::vector<float> expected = result(full, shape), actual = result(half, shape);
    const auto is_half = [](const NodeProfile& node) { return node.kernel == "neon.conv2d_transpose_pair.fp16"; };
    CHECK(std::ranges::count_if(half.nodes(), is_half) == 1);
    CHECK(std::ranges::count_if(full.nodes(), is_half) == 0);
    // Of a probability far from one a difference of the sigmoid's argument changes the same share; fp16 has none below 4.5e-5.
    size_t far = 0;
    for (size_t i = 0; i < expected.size(); i++) far += std::fabs(actual[i] - expected[i]) > 0.1f * expected[i] + 5e-5f ? 1 : 0;
    CHECK(far == 0);
    CHECK(actual != expected);
  }
}

TEST_CASE("fp16: fast int8 gives the probabilities of a recogniser close to what its fp32 LSTM gives") {
  if (!kernels::has_fp16()) {
    MESSAGE("skipped: this processor has no fp16 arithmetic");
    return;
  }
  const std::string path = (std::filesystem::path(EDGEOCR_MODELS) / "edgeocr_en/pact/rec.nb").string();
  SessionOptions with, without;
  with.int8 = without.int8 = Int8::fast;
  without.fast_fp16 = false;
  Session half = Session::load(path, with), full = Session::load(path, without);
  const std::vector<float> expected = result(full, {1, 3, 32, 96}), actual = result(half, {1, 3, 32, 96});
  const auto is_half = [](const NodeProfile& node) { return node.kernel == "neon.rnn.lstm.fp16"; };
  CHECK(std::ranges::count_if(half.nodes(), is_half) == 1);
  CHECK(std::ranges::count_if(full.nodes(), is_half) == 0);
  REQUIRE(actual.size() == expected.size());
  float largest = 0;
  for (size_t i = 0; i < actual.size(); i++) largest = std::max(largest, std::fabs(actual[i] - expected[i]));
  CHECK(largest > 0);
  CHECK(largest <= 0.02f);
}

TEST_CASE("fusion: fp32 networks differ by rounding") {
  const std::filesystem::path folder = EDGEOCR_MODELS;
  CHECK(largest_difference((folder / "edgeocr_en/none/det.nb").string()) <= 1e-4f);
  CHECK(largest_difference((folder / "edgeocr_en/none/rec.nb").string()) <= 1e-5f);
}
