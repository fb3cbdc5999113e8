#include "precision.h"

namespace edgeocr {

void add_precision(Arguments& arguments, std::string& text) {
  const char* help = "fp32 or int8: refuse files of the other kind; fp16: compute fp32 files in fp16 (as the file is)";
  arguments.text("--precision", "P", help, &text);
}

Precision precision_of(const std::string& text) {
  if (text.empty()) return Precision::as_stored;
  if (text == "fp32") return Precision::fp32;
  if (text == "fp16") return Precision::fp16;
  if (text == "int8") return Precision::int8;
  throw UsageError("--precision is " + text + ", expected fp32, fp16 or int8");
}

void add_int8(Arguments& arguments, std::string& text) {
  arguments.text("--int8", "M", "exact: the bits of Paddle-Lite; fast: as accurate, not equal (exact)", &text);
}

bool is_int8_fast(const std::string& text) {
  if (text == "exact") return false;
  if (text == "fast") return true;
  throw UsageError("--int8 is " + text + ", expected exact or fast");
}

void add_dynamic_int8(Arguments& arguments, bool& wanted) {
  arguments.flag("--dynamic-int8", "large fp32 matrix products of the recogniser in int8, each row by its own scale", &wanted);
}

}  // namespace edgeocr
