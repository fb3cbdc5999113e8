// edgeocr_run serve: models stay loaded, pictures come as requests on stdin.
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "arguments.h"
#include "command.h"
#include "reading.h"
#include "request.h"

namespace edgeocr {
namespace {

void emit_done(const RequestId& id) {
  JsonWriter record = begin_record("done", id);
  emit(record);
}

// False when the request asks to end.
bool answer(Pipeline& pipeline, const ReadingOptions& options, const std::string& line) {
  try {
    const Request request = parse_request(line);
    if (request.quit) return false;
    read_and_emit(pipeline, options, request.picture, request.repeats.value_or(options.repeats), request.id);
    emit_done(request.id);
  } catch (const RequestError& error) {
    emit_error("", error.what(), error.id());
    if (error.id()) emit_done(*error.id());
  }
  return true;
}

void serve(Pipeline& pipeline, const ReadingOptions& options) {
  bool too_long = false;
  for (std::string line; read_request_line(stdin, line, too_long);) {
    if (too_long) {
      emit_error("", "request is longer than " + std::to_string(kMaxJsonBytes) + " bytes", std::nullopt);
    } else if (!answer(pipeline, options, line)) {
      return;
    }
  }
  if (std::ferror(stdin) != 0) fail("stdin: cannot read: %s", std::strerror(errno));
}

}  // namespace

int command_serve(CommandArguments given) {
  ReadingOptions options;
  Arguments arguments("edgeocr_run serve [--det F.nb] [--rec F.nb --dict F.txt] [--cls F.nb] [options]");
  add_reading_options(arguments, options);
  const std::vector<std::string> rest = arguments.parse(given);
  if (arguments.wants_help()) {
    std::fputs(arguments.help().c_str(), stdout);
    return 0;
  }
  if (!rest.empty()) throw UsageError("unexpected argument '" + rest[0] + "': serve takes its pictures from stdin");
  require_models(options);
  set_mode(options.pipeline, options.mode);
  emit_hello(options.pipeline.threads);
  Pipeline pipeline(options.pipeline);
  serve(pipeline, options);
  return 0;
}

}  // namespace edgeocr
