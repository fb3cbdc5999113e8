// The commands of edgeocr_run, one file each. PROTOCOL.md states their options and records.
#pragma once

#include <span>

namespace edgeocr {

using CommandArguments = std::span<const char* const>;

// Each takes the arguments behind its name and returns the exit code. Throws UsageError or Error.
int command_ocr(CommandArguments arguments);
int command_bench(CommandArguments arguments);
int command_info(CommandArguments arguments);
int command_serve(CommandArguments arguments);

}  // namespace edgeocr
