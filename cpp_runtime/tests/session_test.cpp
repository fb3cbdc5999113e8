#include "edgeocr/session.h"

#include <doctest/doctest.h>
#include <algorithm>

#include "base/tensor.h"
#include "kernels/kernel.h"
#include "nb_bytes.h"
#include "program.h"
#include "temporary_file.h"

using namespace edgeocr;
using namespace edgeocr::test;

namespace {

// y = relu(conv 1x1 of x) with weights 1, 2, 3 and -1, -1, -1; z = y + y.
Program two_filters(std::vector<int64_t> feed = {-1, 3, -1, -1}) {
  Program p;
  p.feed("x", std::move(feed)).param("w", DataType::f32, {2, 3, 1, 1}, std::vector<float>{1, 2, 3, -1, -1, -1});
  p.op("conv2d", {{"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"c"}}},
       {{"strides", std::vector<int32_t>{1, 1}},
        {"paddings", std::vector<int32_t>{0, 0}},
        {"dilations", std::vector<int32_t>{1, 1}},
        {"groups", 1}});
  p.op("relu", {{"X", {"c"}}}, {{"Out", {"y"}}});
  p.op("elementwise_add", {{"X", {"y"}}, {"Y", {"y"}}}, {{"Out", {"z"}}}, {{"axis", -1}});
  return p.fetch("z");
}

TensorView prepare(Session& session, const Shape& shape) { return session.prepare({&shape, 1}); }

// Pixel i of image n holds (i + 1, 10 n, 0).
void fill(const TensorView& input) {
  for (int64_t n = 0; n < input.shape[0]; n++)
    for (int64_t i = 0; i < input.shape[2] * input.shape[3]; i++) {
      float* pixel = input.as<float>() + n * input.batch_stride + i * input.pixel_stride;
      pixel[0] = static_cast<float>(i + 1), pixel[1] = static_cast<float>(10 * n), pixel[2] = 0, pixel[3] = 0;
    }
}

void check_output(const TensorView& output, const Shape& input) {
  REQUIRE(output.shape == Shape{input[0], 2, input[2], input[3]});
  for (int64_t n = 0; n < input[0]; n++)
    for (int64_t i = 0; i < input[2] * input[3]; i++) {
      const float* pixel = output.as<float>() + n * output.batch_stride + i * output.pixel_stride;
      CHECK(pixel[0] == static_cast<float>(2 * (i + 1 + 20 * n)));
      CHECK(pixel[1] == 0);
    }
}

}  // namespace

TEST_CASE("session: a network runs at any size and batch, again and again on one input") {
  TemporaryFile file(nb_file(two_filters().model()));
  for (bool generic_only : {true, false})
    for (int threads : {1, 3}) {
      SessionOptions options;
      options.generic_only = generic_only, options.threads = threads, options.plan_cache = 2;
      Session session = Session::load(file.str(), options);
      CHECK(session.feed_shape() == Shape{-1, 3, -1, -1});
      CHECK(session.weight_bytes() == 24);
      // More sizes than plans are kept, small and large, and back.
      for (const Shape& shape : {Shape{1, 3, 4, 5}, Shape{3, 3, 20, 30}, Shape{1, 3, 1, 1}, Shape{1, 3, 4, 5}, Shape{2, 3, 7, 3}}) {
        INFO(shape.str(), " threads ", threads);
        TensorView input = prepare(session, shape);
        CHECK(input.shape == shape);
        CHECK(reinterpret_cast<uintptr_t>(input.data) % 64 == 0);
        fill(input);
        for (int repeat = 0; repeat < 3; repeat++) {
          session.run();
          check_output(session.output(), shape);
        }
        CHECK(session.macs() == shape[0] * shape[2] * shape[3] * 6);
        CHECK(session.arena_bytes() > 0);
        CHECK(session.input().data == input.data);
      }
    }
}

TEST_CASE("session: the plan can be listed and timed") {
  TemporaryFile file(nb_file(two_filters().model()));
  SessionOptions options;
  options.generic_only = true;
  Session session = Session::load(file.str(), options);
  const Shape shape{1, 3, 4, 5};
  fill(prepare(session, shape));
  std::vector<NodeProfile> nodes = session.nodes(), times = session.profile();
  REQUIRE(nodes.size() == 3);
  REQUIRE(times.size() == nodes.size());
  CHECK(nodes[0].op == "conv2d");
  CHECK(nodes[0].kernel.starts_with("generic."));
  CHECK(nodes[0].output_shape == "1x2x4x5");
  CHECK(nodes[0].macs == 120);
  CHECK(nodes[0].bytes == 4 * (60 + 6 + 40));
  CHECK(nodes[0].ms == 0);
  for (const NodeProfile& node : times) CHECK(node.ms > 0);
  check_output(session.output(), shape);
}

TEST_CASE("session: inputs that do not fit are refused, and the session goes on") {
  TemporaryFile file(nb_file(two_filters({1, 3, 32, 100}).model()));
  SessionOptions options;
  options.max_input_elements = 3000;
  Session session = Session::load(file.str(), options);
  auto why = [&](const Shape& shape) {
    std::string message = error_of([&] { prepare(session, shape); });
    return message.starts_with(file.str() + ": ") ? message.substr(file.str().size() + 2) : "no file: " + message;
  };
  CHECK(why({1, 4, 8, 8}) == "input is 1x4x8x8, expected channel count 3");
  CHECK(why({2, 3, 8, 8}) == "input is 2x3x8x8, expected batch size 1");
  CHECK(why({3, 8, 8}) == "input is 3x8x8, expected rank 4");
  CHECK(why({1, 3, 0, 8}) == "input is 1x3x0x8, expected sizes of at least 1");
  CHECK(why({1, 3, 1 << 30, 1 << 30}) == "input is 1x3x1073741824x1073741824, expected at most 3000 elements");
  CHECK(why({1, 3, 101, 10}) == "input is 1x3x101x10, expected at most 3000 elements");
  CHECK(error_of([&] { session.prepare({}); }) == file.str() + ": 0 inputs given, expected 1");
  CHECK(error_of([&] { session.run(); }) == file.str() + ": run() before a successful prepare()");
  CHECK(error_of([&] { session.output(); }) == file.str() + ": output() before a successful prepare()");
  const Shape good{1, 3, 8, 8};  // heights and widths are free, whatever the file says
  fill(prepare(session, good));
  session.run();
  check_output(session.output(), good);
  CHECK(error_of([&] { session.output(1); }) == file.str() + ": output 1 was asked for, expected 0 to 0");
  CHECK(error_of([&] { session.input(-1); }) == file.str() + ": input -1 was asked for, expected 0 to 0");
}

TEST_CASE("session: what cannot be loaded says why") {
  SessionOptions options;
  options.threads = 0;
  TemporaryFile file(nb_file(two_filters().model()));
  CHECK(error_of([&] { Session::load(file.str(), options); }) == "threads is 0, expected 1 to 64");
  options = {};
  options.plan_cache = 0;
  CHECK(error_of([&] { Session::load(file.str(), options); }) == "plan_cache is 0, expected at least 1");
  Program unknown;
  unknown.feed("x", {1}).op("grid_sampler", {{"X", {"x"}}}, {{"Out", {"y"}}}).fetch("y");
  TemporaryFile other(nb_file(unknown.model()));
  CHECK(error_of([&] { Session::load(other.str()); }) == other.str() + ": operator grid_sampler is not supported (grid_sampler #1)");
  CHECK(error_of([] { Session::load("/nowhere.nb"); }) == "/nowhere.nb: cannot open: No such file or directory");
}

TEST_CASE("session: a precision that the file or the processor does not have is refused") {
  TemporaryFile file(nb_file(two_filters().model()));
  const auto load = [&](Precision precision, bool generic_only) {
    SessionOptions options;
    options.precision = precision;
    options.generic_only = generic_only;
    Session::load(file.str(), options);
  };
  CHECK_NOTHROW(load(Precision::fp32, false));
  CHECK(error_of([&] { load(Precision::int8, false); }) == file.str() + ": has no int8 operators, expected some for precision int8");
  CHECK(error_of([&] { load(Precision::fp16, true); }) == file.str() + ": the plain kernels have no precision fp16");
  if (kernels::has_fp16()) CHECK_NOTHROW(load(Precision::fp16, false));
  else
    CHECK(error_of([&] { load(Precision::fp16, false); }) ==
          file.str() + ": this processor has no fp16 arithmetic (armv8.2-a), which precision fp16 needs");
}

TEST_CASE("session: the plain kernels alone have exact int8 only") {
  TemporaryFile file(nb_file(two_filters().model()));
  SessionOptions options;
  for (const Int8 int8 : {Int8::fast, Int8::composed}) {
    options.int8 = int8;
    options.generic_only = false;
    CHECK_NOTHROW(Session::load(file.str(), options));
    options.generic_only = true;
    CHECK(error_of([&] { Session::load(file.str(), options); }) == file.str() + ": the plain kernels have exact int8 only");
  }
}

TEST_CASE("session: dynamic int8 needs a matrix product, and kernels that are not the plain ones alone") {
  TemporaryFile file(nb_file(two_filters().model()));
  SessionOptions options;
  options.dynamic_int8 = true;
  CHECK(error_of([&] { Session::load(file.str(), options); }) ==
        file.str() + ": has no fp32 product with a constant matrix that is large enough for dynamic int8");
  options.generic_only = true;
  CHECK(error_of([&] { Session::load(file.str(), options); }) == file.str() + ": the plain kernels have no dynamic int8");
}

TEST_CASE("session: the public models run, the same bits alone and, on three threads, in a batch") {
  std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("skipped: EDGEOCR_TEST_DATA is not set");
  for (const std::string& path : paths) {
    INFO(path);
    const Shape one =
        path.find("det") != std::string::npos ? Shape{1, 3, 64, 96} : Shape{1, 3, path.find("cls") != std::string::npos ? 48 : 32, 192};
    Shape two = one;
    two[0] = 2;
    auto run = [&](int threads, const Shape& shape) {
      SessionOptions options;
      options.threads = threads;
      Session session = Session::load(path, options);
      TensorView input = prepare(session, shape);
      for (int64_t n = 0; n < shape[0]; n++)
        for (int64_t i = 0; i < shape[2] * shape[3]; i++)
          for (int64_t c = 0; c < 4; c++)
            input.as<float>()[n * input.batch_stride + i * input.pixel_stride + c] =
                c == 3 ? 0 : static_cast<float>((i * 7 + c * 3) % 41) / 20.5f - 1;
      session.run();
      TensorView output = session.output();
      const auto* values = output.as<const float>();
      return std::vector<float>(values, values + dense_bytes(output.dtype, output.shape) / sizeof(float));
    };
    std::vector<float> alone = run(1, one), together = run(3, two);
    REQUIRE(together.size() == 2 * alone.size());
    bool probabilities = std::ranges::all_of(alone, [](float v) { return v >= 0 && v <= 1; });
    CHECK(probabilities);
    // A recogniser's rnn is time-major inside, but every output is batch-major.
    CHECK(std::vector<float>(together.begin(), together.begin() + static_cast<std::ptrdiff_t>(alone.size())) == alone);
    CHECK(std::vector<float>(together.begin() + static_cast<std::ptrdiff_t>(alone.size()), together.end()) == alone);
  }
}
