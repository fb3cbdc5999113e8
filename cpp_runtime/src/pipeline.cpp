#include "edgeocr/pipeline.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/tensor.h"
#include "edgeocr/session.h"
#include "graph/graph.h"
#include "model_role.h"
#include "nchw.h"
#include "ocr/crop.h"
#include "ocr/ctc.h"
#include "ocr/db.h"
#include "ocr/decode.h"
#include "ocr/input.h"
#include "ocr/resize.h"

namespace edgeocr {
namespace {

constexpr int kClassifierBatch = 6;  // PaddleOCR's cls_batch_num
// Input columns of one recogniser run. Bounds its memory (a step of 6625 classes takes 26 KB); wider lines, which are over 340
// times as long as high, are squeezed to it.
constexpr int kMaxBatchColumns = 16384;
// A page has about as many line widths as this; with fewer plans a second reading of it would make them anew.
constexpr int kRecogniserPlans = 48;

using Clock = std::chrono::steady_clock;

// Milliseconds since the last lap.
class StopWatch {
 public:
  double lap() {
    const Clock::time_point now = Clock::now();
    return std::chrono::duration<double, std::milli>(now - std::exchange(last_, now)).count();
  }

 private:
  Clock::time_point last_ = Clock::now();
};

const PipelineOptions& checked(const PipelineOptions& options) {
  if (options.threads < 1) fail("threads is %d, expected at least 1", options.threads);
  if (options.rec_batch_num < 1) fail("rec_batch_num is %d, expected at least 1", options.rec_batch_num);
  constexpr int kLeast = PipelineOptions::kLeastSide, kMost = PipelineOptions::kMostSide;
  if (options.limit_side_len < kLeast || options.limit_side_len > kMost)
    fail("limit_side_len is %d, expected %d to %d", options.limit_side_len, kLeast, kMost);
  const std::tuple<const char*, float, float> numbers[] = {
      {"det_db_thresh", options.det_db_thresh, 1.0f},
      {"det_db_box_thresh", options.det_db_box_thresh, 1.0f},
      {"det_db_unclip_ratio", options.det_db_unclip_ratio, PipelineOptions::kMostUnclipRatio},
      {"cls_thresh", options.cls_thresh, 1.0f},
      {"drop_score", options.drop_score, 1.0f}};
  for (const auto& [name, number, most] : numbers)
    if (!(number >= 0 && number <= most)) fail("%s is %g, expected 0 to %g", name, static_cast<double>(number), static_cast<double>(most));
  if (options.detector.empty() && options.recogniser.empty() && options.classifier.empty()) fail("no net is named");
  if (!options.recogniser.empty() && options.dictionary.empty()) fail("dictionary is missing: name the recogniser's keys");
  return options;
}

Session load(const std::string& path, const PipelineOptions& options, SessionOptions session = {}) {
  session.threads = options.threads;
  session.generic_only = options.generic_only;
  session.precision = options.precision;
  session.int8 = options.int8;
  return Session::load(path, session);
}

Session load_recogniser(const std::string& path, const PipelineOptions& options) {
  SessionOptions session;
  session.plan_cache = kRecogniserPlans;
  session.greedy_ctc = true;
  session.dynamic_int8 = options.dynamic_int8;  // other nets have no product that is large enough
  return load(path, options, session);
}

TensorView prepare(Session& session, int batch, int height, int width) {
  const Shape shape{batch, 3, height, width};
  return session.prepare({&shape, 1});
}

// An output, which is checked for every input: what a net gives need not follow its input as its role has it.
TensorView output_of(const Session& session, int index, DataType dtype, const Shape& expected) {
  const TensorView view = session.output(index);
  if (view.dtype != dtype || view.shape != expected)
    fail("%s: output is %s %s, expected %s %s", session.graph().name.c_str(), name_of(view.dtype), view.shape.str().c_str(), name_of(dtype),
         expected.str().c_str());
  return view;
}

}  // namespace

struct Pipeline::Impl {
  explicit Impl(const PipelineOptions& o) : options(o) {
    if (!o.recogniser.empty()) dictionary = std::make_unique<ocr::Dictionary>(ocr::Dictionary::load(o.dictionary));
    if (!o.detector.empty()) {
      detector = std::make_unique<Session>(load(o.detector, o));
      require_detector(*detector);
    }
    if (!o.recogniser.empty()) {
      recogniser = std::make_unique<Session>(load_recogniser(o.recogniser, o));
      form = require_recogniser(*recogniser);
      dictionary->check(form.classes, recogniser->graph().name);
    }
    if (!o.classifier.empty()) {
      classifier = std::make_unique<Session>(load(o.classifier, o));
      require_classifier(*classifier);
    }
  }

  std::vector<ocr::Image> crop_lines(const ocr::Image& picture, PictureResult& result, std::vector<float>* keep_map);
  std::vector<ocr::TextBox> detect(const ocr::Image& picture, PictureResult& result, std::vector<float>* keep_map);
  void turn_upright(std::vector<ocr::Image>& crops, std::vector<RecognisedLine>& lines);
  void recognise(const std::vector<ocr::Image>& crops, std::vector<RecognisedLine>& lines);
  void recognise_batch(const std::vector<ocr::Image>& crops, std::span<const size_t> batch, int net_width,
                       std::vector<RecognisedLine>& lines);
  ocr::LineSize line_size(const ocr::Image& crop) const;
  int batch_limit(int net_width) const;

  PipelineOptions options;
  std::unique_ptr<ocr::Dictionary> dictionary;  // with the recogniser
  std::unique_ptr<Session> detector, classifier, recogniser;
  RecogniserForm form;
};

// The lines of the picture as crops, and their boxes in `result`.
std::vector<ocr::Image> Pipeline::Impl::crop_lines(const ocr::Image& picture, PictureResult& result, std::vector<float>* keep_map) {
  if (!detector) {
    const int right = picture.width - 1, bottom = picture.height - 1;
    result.lines.resize(1);
    result.lines[0].box = {{{0, 0}, {right, 0}, {right, bottom}, {0, bottom}}};
    result.lines[0].box_score = 1;
    return {picture};
  }
  const std::vector<ocr::TextBox> boxes = detect(picture, result, keep_map);
  StopWatch watch;
  std::vector<ocr::Image> crops;
  crops.reserve(boxes.size());
  result.lines.resize(boxes.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    crops.push_back(ocr::crop_quad(picture, boxes[i].quad));
    for (size_t k = 0; k < 4; ++k) {
      result.lines[i].box[k] = {static_cast<int>(boxes[i].quad[k].x), static_cast<int>(boxes[i].quad[k].y)};
    }
    result.lines[i].box_score = boxes[i].score;
  }
  result.ms.crop = watch.lap();
  return crops;
}

std::vector<ocr::TextBox> Pipeline::Impl::detect(const ocr::Image& picture, PictureResult& result, std::vector<float>* keep_map) {
  StopWatch watch;
  const ocr::Size size = ocr::detector_size(picture.width, picture.height, options.limit_side_len);
  ocr::fill_input(picture, size.width, ocr::kDetectorNormalisation, prepare(*detector, 1, size.height, size.width), 0);
  result.det_input = {1, 3, size.height, size.width};
  result.ms.det_pre = watch.lap();
  detector->run();
  std::vector<float> map = copy_to_nchw(output_of(*detector, 0, DataType::f32, {1, 1, size.height, size.width}));
  result.ms.det = watch.lap();
  result.det_sum = std::accumulate(map.begin(), map.end(), 0.0);
  ocr::DbParameters parameters;
  parameters.thresh = options.det_db_thresh;
  parameters.box_thresh = options.det_db_box_thresh;
  parameters.unclip_ratio = options.det_db_unclip_ratio;
  std::vector<ocr::TextBox> boxes = ocr::decode_db(map.data(), size.width, size.height, picture.width, picture.height, parameters);
  result.ms.det_post = watch.lap();
  if (keep_map) *keep_map = std::move(map);
  return boxes;
}

void Pipeline::Impl::turn_upright(std::vector<ocr::Image>& crops, std::vector<RecognisedLine>& lines) {
  const size_t most = takes_one_at_a_time(*classifier) ? 1 : kClassifierBatch;
  for (size_t begin = 0; begin < crops.size(); begin += most) {
    const int count = static_cast<int>(std::min(most, crops.size() - begin));
    const TensorView input = prepare(*classifier, count, ocr::kClassifierHeight, ocr::kClassifierWidth);
    for (int n = 0; n < count; ++n) {
      const ocr::Image& crop = crops[begin + static_cast<size_t>(n)];
      ocr::fill_input(crop, ocr::classifier_size(crop.width, crop.height).content_width, ocr::kLineNormalisation, input, n);
    }
    classifier->run();
    const float* probabilities = output_of(*classifier, 0, DataType::f32, {count, 2}).as<float>();
    for (int n = 0; n < count; ++n) {
      RecognisedLine& line = lines[begin + static_cast<size_t>(n)];
      const float upright = probabilities[2 * n], turned = probabilities[2 * n + 1];
      line.cls_score = std::max(upright, turned);
      line.turned = turned > upright && turned > options.cls_thresh;
      if (line.turned) ocr::rotate_180(crops[begin + static_cast<size_t>(n)]);
    }
  }
}

ocr::LineSize Pipeline::Impl::line_size(const ocr::Image& crop) const {
  ocr::LineSize size = ocr::recogniser_size(crop.width, crop.height, form.height);
  size.net_width = std::min(size.net_width, kMaxBatchColumns);
  size.content_width = std::min(size.content_width, size.net_width);
  return size;
}

int Pipeline::Impl::batch_limit(int net_width) const {
  return takes_one_at_a_time(*recogniser) ? 1 : std::min(options.rec_batch_num, kMaxBatchColumns / net_width);
}

// Lines are batched only where padding is the same as alone: a line's text must not depend on its neighbours.
void Pipeline::Impl::recognise(const std::vector<ocr::Image>& crops, std::vector<RecognisedLine>& lines) {
  std::map<int, std::vector<size_t>> by_width;
  for (size_t i = 0; i < crops.size(); ++i) by_width[line_size(crops[i]).net_width].push_back(i);
  for (const auto& [net_width, indices] : by_width) {
    const auto limit = static_cast<size_t>(batch_limit(net_width));
    for (size_t begin = 0; begin < indices.size(); begin += limit) {
      recognise_batch(crops, std::span(indices).subspan(begin, std::min(limit, indices.size() - begin)), net_width, lines);
    }
  }
}

void Pipeline::Impl::recognise_batch(const std::vector<ocr::Image>& crops, std::span<const size_t> batch, int net_width,
                                     std::vector<RecognisedLine>& lines) {
  const TensorView input = prepare(*recogniser, static_cast<int>(batch.size()), form.height, net_width);
  for (size_t n = 0; n < batch.size(); ++n) {
    const ocr::Image& crop = crops[batch[n]];
    ocr::fill_input(crop, line_size(crop).content_width, ocr::kLineNormalisation, input, static_cast<int>(n));
  }
  recogniser->run();
  const Shape found = recogniser->output(0).shape;
  const Shape expected{static_cast<int64_t>(batch.size()), found.rank() == 2 ? found[1] : 1};
  const TensorView classes = output_of(*recogniser, 0, DataType::i32, expected);
  const TensorView probabilities = output_of(*recogniser, 1, DataType::f32, expected);
  const auto steps = static_cast<size_t>(expected[1]);
  for (size_t n = 0; n < batch.size(); ++n) {
    const std::span<const int> winners(classes.as<const int32_t>() + n * steps, steps);
    const std::span<const float> chances(probabilities.as<const float>() + n * steps, steps);
    const ocr::Line text = ocr::decode_ctc(winners, chances, *dictionary);
    RecognisedLine& line = lines[batch[n]];
    line.text = text.text;
    line.score = text.score;
    line.kept = !text.text.empty() && text.score >= options.drop_score;
    line.rec_width = net_width;
  }
}

Pipeline::Pipeline(const PipelineOptions& options) : impl_(std::make_unique<Impl>(checked(options))) {}
Pipeline::~Pipeline() = default;

PictureResult Pipeline::read(const std::string& picture_path, std::vector<float>* keep_map) {
  PictureResult result;
  StopWatch watch;
  const ocr::Image picture = ocr::decode_file(picture_path);
  result.ms.decode = watch.lap();
  result.width = picture.width;
  result.height = picture.height;

  StopWatch total;
  std::vector<ocr::Image> crops = impl_->crop_lines(picture, result, keep_map);
  watch.lap();
  if (impl_->classifier) impl_->turn_upright(crops, result.lines);
  result.ms.cls = watch.lap();
  if (impl_->recogniser) {
    impl_->recognise(crops, result.lines);
  } else {
    for (RecognisedLine& line : result.lines) line.kept = true;
  }
  result.ms.rec = watch.lap();
  result.ms.boxes = static_cast<int>(crops.size());
  result.ms.total = total.lap();
  return result;
}

}  // namespace edgeocr
