#include "reading.h"

#include <exception>
#include <filesystem>
#include <vector>

#include "float_file.h"

namespace edgeocr {
namespace {

void write_map(const std::string& folder, const std::string& picture, const std::vector<float>& map) {
  const std::filesystem::path stem = std::filesystem::path(picture).stem();
  write_floats((std::filesystem::path(folder) / stem).string() + ".map.f32", map);
}

}  // namespace

void add_reading_options(Arguments& arguments, ReadingOptions& options) {
  PipelineOptions& p = options.pipeline;
  arguments.text("--det", "F.nb", "detector; without it every picture is one line", &p.detector);
  arguments.text("--rec", "F.nb", "recogniser; without it boxes and directions are all that is found", &p.recogniser);
  arguments.text("--dict", "F.txt", "the recogniser's dictionary, one key a line", &p.dictionary);
  arguments.text("--cls", "F.nb", "direction classifier; without it no line is turned", &p.classifier);
  arguments.integer("--threads", "T", "threads (1)", &p.threads, 1, 64);
  arguments.flag("--generic", "plain kernels only", &p.generic_only);
  add_mode(arguments, options.mode);
  arguments.integer("--limit-side-len", "N", "longest side of the detector's input (960)", &p.limit_side_len, p.kLeastSide, p.kMostSide);
  arguments.number("--det-db-thresh", "X", "binarisation of the map (0.3)", &p.det_db_thresh, 0, 1);
  arguments.number("--det-db-box-thresh", "X", "mean probability that makes a box (0.6)", &p.det_db_box_thresh, 0, 1);
  arguments.number("--det-db-unclip-ratio", "X", "growth of a box (1.5)", &p.det_db_unclip_ratio, 0, p.kMostUnclipRatio);
  arguments.number("--cls-thresh", "X", "probability that turns a line (0.9)", &p.cls_thresh, 0, 1);
  arguments.number("--drop-score", "X", "lines below are marked as not kept (0.5)", &p.drop_score, 0, 1);
  arguments.integer("--rec-batch-num", "N", "most lines of equal width recognised together (6)", &p.rec_batch_num, 1, 64);
  arguments.integer("--repeats", "N", "readings of a picture (1)", &options.repeats, 1, 1'000'000);
  arguments.integer("--warmup", "N", "readings before them that are not reported (0)", &options.warmup, 0, 1'000'000);
  arguments.text("--dump-map", "DIR", "write the probability map to DIR/<stem>.map.f32, H x W fp32", &options.dump_map);
}

void require_models(const ReadingOptions& options) {
  const PipelineOptions& p = options.pipeline;
  if (p.detector.empty() && p.recogniser.empty() && p.classifier.empty())
    throw UsageError("--det, --rec and --cls are missing: name at least one of the .nb files");
  if (!p.recogniser.empty() && p.dictionary.empty()) throw UsageError("--dict is missing: name the recogniser's dictionary");
  if (p.detector.empty() && !options.dump_map.empty()) throw UsageError("--dump-map: there is no map without --det");
}

bool read_and_emit(Pipeline& pipeline, const ReadingOptions& options, const std::string& picture, int repeats,
                   const std::optional<RequestId>& id) {
  try {
    std::vector<float> map;
    std::vector<float>* keep_map = options.dump_map.empty() ? nullptr : &map;
    for (int i = 0; i < options.warmup; ++i) pipeline.read(picture);
    for (int repeat = 0; repeat < repeats; ++repeat) {
      const PictureResult result = pipeline.read(picture, keep_map);
      if (keep_map && repeat == 0) write_map(options.dump_map, picture, map);
      emit_picture(picture, repeat, result, id);
    }
    return true;
  } catch (const OutputError&) {
    throw;  // stdout is gone: no record can say so
  } catch (const std::bad_alloc&) {
    emit_error(picture, picture + ": out of memory", id);
  } catch (const std::exception& error) {
    emit_error(picture, error.what(), id);
  }
  return false;
}

}  // namespace edgeocr
