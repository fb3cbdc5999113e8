// Detection → direction → recognition on a picture, with PaddleOCR's parameters.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "edgeocr/session.h"

namespace edgeocr {

struct PipelineOptions {
  // Paths. Without a detector a picture is one line (PaddleOCR's det = false); without a recogniser and its dictionary boxes and
  // directions are all that is found (rec = false); without a classifier no line is turned. One of the three must be there.
  std::string detector, classifier, recogniser, dictionary;
  int threads = 1;
  Precision precision = Precision::as_stored;  // of all nets
  Int8 int8 = Int8::exact;                     // of all nets
  bool dynamic_int8 = false;                   // as in SessionOptions, of the recogniser
  bool generic_only = false;
  static constexpr int kLeastSide = 32, kMostSide = 4096;
  int limit_side_len = 960;  // kLeastSide to kMostSide
  static constexpr float kMostUnclipRatio = 10;
  // 0 to 1, but for the ratio: 0 to kMostUnclipRatio
  float det_db_thresh = 0.3f, det_db_box_thresh = 0.6f, det_db_unclip_ratio = 1.5f;
  float cls_thresh = 0.9f;  // turn by 180° where label 1 wins with more
  float drop_score = 0.5f;  // lines below are reported with kept = false
  int rec_batch_num = 6;    // boxes of equal net width run together, at most this many
};

// Milliseconds of the stages of one picture. `boxes` counts the lines, found or, without a detector, given.
struct StageTimes {
  double decode = 0, det_pre = 0, det = 0, det_post = 0, crop = 0, cls = 0, rec = 0, total = 0;
  int boxes = 0;
};

struct RecognisedLine {
  std::array<std::array<int, 2>, 4> box{};  // clockwise from top left, picture pixels
  std::string text;
  float score = 0, box_score = 0;
  float cls_score = 0;  // probability of the winning label; 0 without a classifier
  bool turned = false;
  bool kept = false;  // always without a recogniser
  int rec_width = 0;
};

struct PictureResult {
  int width = 0, height = 0;
  std::array<int, 4> det_input{};     // N, C, H, W; zeros without a detector, as is det_sum
  double det_sum = 0;                 // sum of the probability map
  std::vector<RecognisedLine> lines;  // in PaddleOCR's reading order
  StageTimes ms;
};

class Pipeline {
 public:
  // Throws Error: an option out of its range, unreadable model, dictionary of the wrong size, recogniser height other than 32 or 48, …
  explicit Pipeline(const PipelineOptions& options);
  ~Pipeline();
  // `keep_map`, if not null, receives the probability map, row-major H x W.
  PictureResult read(const std::string& picture_path, std::vector<float>* keep_map = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgeocr
