#include "edgeocr/c_api.h"

#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "edgeocr/pipeline.h"
#include "edgeocr/session.h"
#include "nchw.h"

using edgeocr::fail;

struct edgeocr_session {
  edgeocr::Session session;
  bool has_run = false;
  std::vector<float> output;  // what edgeocr_session_output gave out last
};

struct edgeocr_pipeline {
  edgeocr::Pipeline pipeline;
};

struct edgeocr_result {
  edgeocr::PictureResult picture;
};

namespace {

std::string& last_error() {
  thread_local std::string message;
  return message;
}

// Runs body; on an exception keeps its message and returns `failed`.
template <class Result, class Body> Result guarded(Result failed, const Body& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    last_error() = "out of memory";
  } catch (const std::exception& error) {
    last_error() = error.what();
  }
  return failed;
}

void require(const void* pointer, const char* name) {
  if (!pointer) fail("%s is NULL", name);
}

int positive(int value, const char* name) {
  if (value < 1) fail("%s is %d, expected at least 1", name, value);
  return value;
}

edgeocr::Int8 int8_of(int value) {
  switch (value) {
    case EDGEOCR_INT8_EXACT: return edgeocr::Int8::exact;
    case EDGEOCR_INT8_FAST: return edgeocr::Int8::fast;
    case EDGEOCR_INT8_COMPOSED: return edgeocr::Int8::composed;
    default: fail("int8 is %d, expected an EDGEOCR_INT8_ value, %d to %d", value, EDGEOCR_INT8_EXACT, EDGEOCR_INT8_COMPOSED);
  }
}

edgeocr::Precision precision_of(int value) {
  switch (value) {
    case EDGEOCR_PRECISION_AS_STORED: return edgeocr::Precision::as_stored;
    case EDGEOCR_PRECISION_FP32: return edgeocr::Precision::fp32;
    case EDGEOCR_PRECISION_FP16: return edgeocr::Precision::fp16;
    case EDGEOCR_PRECISION_INT8: return edgeocr::Precision::int8;
    default:
      fail("precision is %d, expected an EDGEOCR_PRECISION_ value, %d to %d", value, EDGEOCR_PRECISION_AS_STORED, EDGEOCR_PRECISION_INT8);
  }
}

}  // namespace

const char* edgeocr_version(void) { return EDGEOCR_VERSION; }

const char* edgeocr_last_error(void) { return last_error().c_str(); }

void edgeocr_session_options_init(edgeocr_session_options* options) {
  if (!options) return;
  const edgeocr::SessionOptions defaults;
  *options = {};
  options->threads = defaults.threads;
  options->int8 = EDGEOCR_INT8_EXACT;
  options->precision = EDGEOCR_PRECISION_AS_STORED;
}

edgeocr_session* edgeocr_session_create_with(const char* path, const edgeocr_session_options* options) {
  return guarded<edgeocr_session*>(nullptr, [&] {
    require(path, "path");
    require(options, "options");
    edgeocr::SessionOptions own;
    own.threads = positive(options->threads, "threads");
    own.generic_only = options->generic_only != 0;
    own.int8 = int8_of(options->int8);
    own.dynamic_int8 = options->dynamic_int8 != 0;
    own.precision = precision_of(options->precision);
    return new edgeocr_session{edgeocr::Session::load(path, own), false, {}};
  });
}

edgeocr_session* edgeocr_session_create(const char* path, int threads, int generic_only) {
  edgeocr_session_options options;
  edgeocr_session_options_init(&options);
  options.threads = threads;
  options.generic_only = generic_only;
  return edgeocr_session_create_with(path, &options);
}

void edgeocr_session_destroy(edgeocr_session* session) { delete session; }

int edgeocr_session_run(edgeocr_session* session, const float* input, const int64_t shape[4]) {
  return guarded(1, [&] {
    require(session, "session");
    require(input, "input");
    require(shape, "shape");
    session->has_run = false;
    const edgeocr::Shape input_shape(std::span<const int64_t>(shape, 4));
    const edgeocr::TensorView view = session->session.prepare({&input_shape, 1});
    edgeocr::copy_from_nchw({input, static_cast<size_t>(input_shape.count())}, view);
    session->session.run();
    session->has_run = true;
    return 0;
  });
}

const float* edgeocr_session_output(edgeocr_session* session, int index, int* rank, int64_t shape[6]) {
  return guarded<const float*>(nullptr, [&] {
    require(session, "session");
    require(rank, "rank");
    require(shape, "shape");
    if (!session->has_run) fail("the session has no result: call edgeocr_session_run first");
    const edgeocr::TensorView view = session->session.output(index);
    session->output = edgeocr::copy_to_nchw(view);
    *rank = view.shape.rank();
    for (int i = 0; i < view.shape.rank(); ++i) shape[i] = view.shape[i];
    return session->output.data();
  });
}

void edgeocr_pipeline_options_init(edgeocr_pipeline_options* options) {
  if (!options) return;
  const edgeocr::PipelineOptions defaults;
  *options = {};
  options->threads = defaults.threads;
  options->limit_side_len = defaults.limit_side_len;
  options->det_db_thresh = defaults.det_db_thresh;
  options->det_db_box_thresh = defaults.det_db_box_thresh;
  options->det_db_unclip_ratio = defaults.det_db_unclip_ratio;
  options->cls_thresh = defaults.cls_thresh;
  options->drop_score = defaults.drop_score;
  options->rec_batch_num = defaults.rec_batch_num;
  options->int8 = EDGEOCR_INT8_EXACT;
  options->precision = EDGEOCR_PRECISION_AS_STORED;
}

edgeocr_pipeline* edgeocr_pipeline_create(const edgeocr_pipeline_options* options) {
  return guarded<edgeocr_pipeline*>(nullptr, [&] {
    require(options, "options");
    const auto path = [](const char* given) { return given ? given : ""; };
    edgeocr::PipelineOptions own;
    own.detector = path(options->detector);
    own.classifier = path(options->classifier);
    own.recogniser = path(options->recogniser);
    own.dictionary = path(options->dictionary);
    own.threads = options->threads;
    own.generic_only = options->generic_only != 0;
    own.limit_side_len = options->limit_side_len;
    own.det_db_thresh = options->det_db_thresh;
    own.det_db_box_thresh = options->det_db_box_thresh;
    own.det_db_unclip_ratio = options->det_db_unclip_ratio;
    own.cls_thresh = options->cls_thresh;
    own.drop_score = options->drop_score;
    own.rec_batch_num = options->rec_batch_num;
    own.int8 = int8_of(options->int8);
    own.dynamic_int8 = options->dynamic_int8 != 0;
    own.precision = precision_of(options->precision);
    return new edgeocr_pipeline{edgeocr::Pipeline(own)};
  });
}

void edgeocr_pipeline_destroy(edgeocr_pipeline* pipeline) { delete pipeline; }

edgeocr_result* edgeocr_pipeline_read(edgeocr_pipeline* pipeline, const char* picture_path) {
  return guarded<edgeocr_result*>(nullptr, [&] {
    require(pipeline, "pipeline");
    require(picture_path, "picture_path");
    return new edgeocr_result{pipeline->pipeline.read(picture_path)};
  });
}

void edgeocr_result_destroy(edgeocr_result* result) { delete result; }

int edgeocr_result_width(const edgeocr_result* result) { return result ? result->picture.width : 0; }
int edgeocr_result_height(const edgeocr_result* result) { return result ? result->picture.height : 0; }
size_t edgeocr_result_line_count(const edgeocr_result* result) { return result ? result->picture.lines.size() : 0; }

int edgeocr_result_line(const edgeocr_result* result, size_t index, edgeocr_line* line) {
  return guarded(1, [&] {
    require(result, "result");
    require(line, "line");
    if (index >= result->picture.lines.size()) fail("line index is %zu, expected less than %zu", index, result->picture.lines.size());
    const edgeocr::RecognisedLine& own = result->picture.lines[index];
    for (size_t i = 0; i < 4; ++i) {
      line->box[i][0] = own.box[i][0];
      line->box[i][1] = own.box[i][1];
    }
    line->text = own.text.c_str();
    line->score = own.score;
    line->box_score = own.box_score;
    line->cls_score = own.cls_score;
    line->turned = own.turned;
    line->kept = own.kept;
    return 0;
  });
}
