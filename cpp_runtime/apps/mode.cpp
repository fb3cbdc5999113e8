#include "mode.h"

namespace edgeocr {

void add_mode(Arguments& arguments, ModeOptions& options) {
  arguments.text("--precision", "P", "fp32 or int8: refuse files of the other kind; fp16: compute fp32 files in fp16 (as the file is)",
                 &options.precision);
  arguments.text("--int8", "M", "exact: the bits of Paddle-Lite; fast: as accurate, not equal (exact)", &options.int8);
  arguments.flag("--dynamic-int8", "large fp32 matrix products of the recogniser in int8, each row by its own scale",
                 &options.dynamic_int8);
}

Precision precision_of(const ModeOptions& options) {
  if (options.precision.empty()) return Precision::as_stored;
  if (options.precision == "fp32") return Precision::fp32;
  if (options.precision == "fp16") return Precision::fp16;
  if (options.precision == "int8") return Precision::int8;
  throw UsageError("--precision is " + options.precision + ", expected fp32, fp16 or int8");
}

bool is_int8_fast(const ModeOptions& options) {
  if (options.int8 == "exact") return false;
  if (options.int8 == "fast") return true;
  throw UsageError("--int8 is " + options.int8 + ", expected exact or fast");
}

}  // namespace edgeocr
