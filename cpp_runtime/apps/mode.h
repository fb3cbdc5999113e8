// How nets are computed: the options --precision, --int8 and --dynamic-int8.
#pragma once

#include <string>

#include "arguments.h"
#include "edgeocr/mode.h"

namespace edgeocr {

struct ModeOptions {
  std::string precision;  // empty: as the files have it
  std::string int8 = "exact";
  bool dynamic_int8 = false;

  bool operator==(const ModeOptions&) const = default;
};

void add_mode(Arguments& arguments, ModeOptions& options);
// Both throw UsageError on a word that is not one of the option's.
Precision precision_of(const ModeOptions& options);
Int8 int8_of(const ModeOptions& options);

// To SessionOptions or PipelineOptions.
template <class Options> void set_mode(Options& to, const ModeOptions& options) {
  to.precision = precision_of(options);
  to.int8 = int8_of(options);
  to.dynamic_int8 = options.dynamic_int8;
}

}  // namespace edgeocr
