// The options --precision, --int8 and --dynamic-int8.
#pragma once

#include <string>

#include "arguments.h"
#include "edgeocr/session.h"

namespace edgeocr {

void add_precision(Arguments& arguments, std::string& text);
// Empty: as the file has it. Throws UsageError on another word than fp32, fp16 or int8.
Precision precision_of(const std::string& text);

void add_int8(Arguments& arguments, std::string& text);
// Throws UsageError on another word than exact or fast.
bool is_int8_fast(const std::string& text);

void add_dynamic_int8(Arguments& arguments, bool& wanted);

}  // namespace edgeocr
