#include "edgeocr/pipeline.h"

#include <doctest/doctest.h>

#include <limits>

#include "nb_bytes.h"
#include "program.h"
#include "temporary_file.h"

using namespace edgeocr;
using namespace edgeocr::test;

namespace {

const Attrs kPlainConv{{"strides", std::vector<int32_t>{1, 1}},
                       {"paddings", std::vector<int32_t>{0, 0}},
                       {"dilations", std::vector<int32_t>{1, 1}},
                       {"groups", 1}};

// A map of the picture, of its size or of 64 x 320 whatever the size.
Program detector(bool fixed_size, std::vector<int64_t> feed = {-1, 3, -1, -1}) {
  Program p;
  p.feed("x", std::move(feed)).filled("w", {1, 3, 1, 1});
  p.op("conv2d", {{"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"y"}}}, kPlainConv);
  if (!fixed_size) return p.fetch("y");
  p.op("nearest_interp", {{"X", {"y"}}}, {{"Out", {"z"}}},
       {{"out_h", 64}, {"out_w", 320}, {"interp_method", std::string("nearest")}, {"align_corners", false}});
  return p.fetch("z");
}

Program classifier(int64_t batch) {
  Program p;
  p.feed("x", {batch, 3, 48, 192}).filled("w", {3, 2}, 0.25f);
  p.op("pool2d", {{"X", {"x"}}}, {{"Out", {"mean"}}},
       {{"pooling_type", std::string("avg")},
        {"ksize", std::vector<int32_t>{1, 1}},
        {"strides", std::vector<int32_t>{1, 1}},
        {"paddings", std::vector<int32_t>{0, 0}},
        {"global_pooling", true}});
  p.op("fc", {{"Input", {"mean"}}, {"W", {"w"}}}, {{"Out", {"scores"}}}, {{"in_num_col_dims", 1}});
  return p.op("softmax", {{"X", {"scores"}}}, {{"Out", {"y"}}}, {{"axis", -1}}).fetch("y");
}

// Scores that the file holds, however wide a line is, and a second output.
Program constant_recogniser() {
  Program p;
  p.feed("x", {-1, 3, 48, -1}).filled("scores", {1, 1000, 3}).filled("p", {1});
  return p.fetch("scores", 0).fetch("p", 1);
}

// A picture of one colour.
Bytes bmp(int32_t width, int32_t height) {
  Bytes file;
  const auto row = static_cast<size_t>((width * 3 + 3) / 4 * 4);
  for (const char c : {'B', 'M'}) append(file, c);
  for (const uint32_t v : {uint32_t{0}, uint32_t{0}, uint32_t{54}, uint32_t{40}}) append(file, v);
  for (const int32_t side : {width, height}) append(file, side);
  for (const uint16_t v : {uint16_t{1}, uint16_t{24}}) append(file, v);
  file.resize(54 + row * static_cast<size_t>(height), std::byte{0x90});
  return file;
}

std::string refused(const PipelineOptions& options) {
  return error_of([&] { Pipeline pipeline(options); });
}

}  // namespace

TEST_CASE("pipeline: a map that is not the picture's is refused, whatever the shape at loading") {
  const TemporaryFile net(nb_file(detector(true).model())), small(bmp(320, 64), ".bmp"), large(bmp(500, 400), ".bmp");
  PipelineOptions options;
  options.detector = net.str();
  Pipeline pipeline(options);
  CHECK(pipeline.read(small.str()).det_input == std::array{1, 3, 64, 320});
  CHECK(error_of([&] { pipeline.read(large.str()); }) == net.str() + ": output is fp32 1x1x64x320, expected fp32 1x1x384x512");
}

TEST_CASE("pipeline: a recogniser's scores must follow from its input") {
  const TemporaryFile net(nb_file(constant_recogniser().model()));
  const Bytes key{std::byte{'a'}, std::byte{'\n'}};
  const TemporaryFile keys(key, ".txt");
  PipelineOptions options;
  options.recogniser = net.str();
  CHECK(refused(options) == "dictionary is missing: name the recogniser's keys");
  options.dictionary = keys.str();
  CHECK(refused(options) == net.str() + ": output is no fp32 scores that follow from the input, as a recogniser's are");
}

TEST_CASE("pipeline: a net's fixed batch is one line at a time, or none") {
  const TemporaryFile four(nb_file(detector(false, {4, 3, -1, -1}).model())), page(bmp(320, 64), ".bmp");
  PipelineOptions options;
  options.detector = four.str();
  CHECK(refused(options) == four.str() + ": batch size is fixed to 4, expected 1 or any (-1): convert it with one of these");

  options.detector = (std::filesystem::path(EDGEOCR_MODELS) / "edgeocr_en/none/det.nb").string();
  const std::string sign = (std::filesystem::path(EDGEOCR_MODELS) / "pictures/page_sign.png").string();
  for (const int64_t batch : {1, -1}) {
    const TemporaryFile net(nb_file(classifier(batch).model()));
    options.classifier = net.str();
    CAPTURE(batch);
    const PictureResult read = Pipeline(options).read(sign);
    CHECK(read.lines.size() > 1);
    for (const RecognisedLine& line : read.lines) CHECK(line.cls_score == 0.5f);
  }
}

TEST_CASE("pipeline: options out of their ranges are refused by name") {
  PipelineOptions options;
  CHECK(refused(options) == "no net is named");
  const auto with = [&](auto PipelineOptions::* option, auto value) {
    PipelineOptions changed = options;
    changed.detector = "det.nb";
    changed.*option = value;
    return refused(changed);
  };
  CHECK(with(&PipelineOptions::threads, 0) == "threads is 0, expected at least 1");
  CHECK(with(&PipelineOptions::rec_batch_num, 0) == "rec_batch_num is 0, expected at least 1");
  CHECK(with(&PipelineOptions::limit_side_len, 31) == "limit_side_len is 31, expected 32 to 4096");
  CHECK(with(&PipelineOptions::limit_side_len, 4097) == "limit_side_len is 4097, expected 32 to 4096");
  CHECK(with(&PipelineOptions::det_db_thresh, -5.0f) == "det_db_thresh is -5, expected 0 to 1");
  CHECK(with(&PipelineOptions::det_db_box_thresh, 1.5f) == "det_db_box_thresh is 1.5, expected 0 to 1");
  CHECK(with(&PipelineOptions::det_db_unclip_ratio, std::numeric_limits<float>::quiet_NaN()) ==
        "det_db_unclip_ratio is nan, expected 0 to 10");
  CHECK(with(&PipelineOptions::cls_thresh, 2.0f) == "cls_thresh is 2, expected 0 to 1");
  CHECK(with(&PipelineOptions::drop_score, 7.0f) == "drop_score is 7, expected 0 to 1");
}
