#include "mode.h"

namespace edgeocr {

void add_mode(Arguments& arguments, ModeOptions& options) {
  arguments.text("--precision", "P", "fp32 or int8: refuse files of the other kind; fp16: compute fp32 files in fp16 (as the file is)",
                 &options.precision);
  arguments.text("--int8", "M", "exact: the bits of Paddle-Lite; fast: one off at times; composed: fast, pyramids composed (exact)",
                 &options.int8);
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

Int8 int8_of(const ModeOptions& options) {
  if (options.int8 == "exact") return Int8::exact;
  if (options.int8 == "fast") return Int8::fast;
  if (options.int8 == "composed") return Int8::composed;
  throw UsageError("--int8 is " + options.int8 + ", expected exact, fast or composed");
}

}  // namespace edgeocr
