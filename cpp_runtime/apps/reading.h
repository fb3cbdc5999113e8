// What `ocr` and `serve` share: the options of a reading, and one picture read.
#pragma once

#include <optional>
#include <string>

#include "arguments.h"
#include "edgeocr/pipeline.h"
#include "mode.h"
#include "records.h"

namespace edgeocr {

struct ReadingOptions {
  PipelineOptions pipeline;
  int repeats = 1, warmup = 0;
  ModeOptions mode;
  std::string dump_map;  // folder; empty: no maps are written
};

void add_reading_options(Arguments& arguments, ReadingOptions& options);
// Throws UsageError where a model or the dictionary is not named.
void require_models(const ReadingOptions& options);

// Reads a picture options.warmup + repeats times and writes a record per repeat, or one error record. False on an error.
bool read_and_emit(Pipeline& pipeline, const ReadingOptions& options, const std::string& picture, int repeats,
                   const std::optional<RequestId>& id);

}  // namespace edgeocr
