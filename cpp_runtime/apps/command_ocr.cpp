// edgeocr_run ocr: reads the pictures it is given.
#include <cstdio>

#include "arguments.h"
#include "command.h"
#include "reading.h"

namespace edgeocr {

int command_ocr(CommandArguments given) {
  ReadingOptions options;
  Arguments arguments("edgeocr_run ocr [--det F.nb] [--rec F.nb --dict F.txt] [--cls F.nb] [options] PICTURE…");
  add_reading_options(arguments, options);
  const std::vector<std::string> pictures = arguments.parse(given);
  if (arguments.wants_help()) {
    std::fputs(arguments.help().c_str(), stdout);
    return 0;
  }
  require_models(options);
  set_mode(options.pipeline, options.mode);
  if (pictures.empty()) throw UsageError("no picture is given: edgeocr_run ocr --help shows how");

  emit_hello(options.pipeline.threads);
  Pipeline pipeline(options.pipeline);
  bool all_read = true;
  for (const std::string& picture : pictures) {
    all_read &= read_and_emit(pipeline, options, picture, options.repeats, std::nullopt);
  }
  return all_read ? 0 : 1;
}

}  // namespace edgeocr
