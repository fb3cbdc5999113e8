// edgeocr_run: the one program of the runtime, on the phone and on the host.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "arguments.h"
#include "base/error.h"
#include "command.h"

namespace {

using edgeocr::CommandArguments;

struct Command {
  std::string_view name;
  const char* help;
  int (*run)(CommandArguments);
};

constexpr Command kCommands[] = {
    {"ocr", "read pictures", edgeocr::command_ocr},
    {"bench", "time one net", edgeocr::command_bench},
    {"info", "show what a .nb file holds, and the plan of an input shape", edgeocr::command_info},
    {"serve", "read pictures named by JSON lines on stdin", edgeocr::command_serve},
};

void print_help(std::FILE* stream) {
  std::fprintf(stream, "usage: edgeocr_run COMMAND [options]\n\nOutput is JSON, one record a line, protocol 1.\n\n");
  for (const Command& command : kCommands) {
    std::fprintf(stream, "  %-8s%s\n", command.name.data(), command.help);
  }
  std::fprintf(stream, "\n  edgeocr_run COMMAND --help shows the options of a command; edgeocr_run --version the version.\n");
}

int dispatch(std::string_view name, CommandArguments arguments) {
  if (name == "--help" || name == "-h") {
    print_help(stdout);
    return 0;
  }
  if (name == "--version") {
    std::printf("edgeocr_run %s\n", EDGEOCR_VERSION);
    return 0;
  }
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(arguments);
  }
  throw edgeocr::UsageError("no such command: '" + std::string(name) + "', expected ocr, bench, info or serve");
}

int report(const char* message, int exit_code) {
  std::fflush(stdout);
  std::fprintf(stderr, "error: %s\n", edgeocr::one_line(message).c_str());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    print_help(stderr);
    return 2;
  }
  try {
    const int exit_code = dispatch(argv[1], CommandArguments(argv + 2, static_cast<size_t>(argc - 2)));
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) edgeocr::fail("stdout: cannot write: %s", std::strerror(errno));
    return exit_code;
  } catch (const edgeocr::UsageError& error) {
    return report(error.what(), 2);
  } catch (const std::bad_alloc&) {
    return report("out of memory", 1);
  } catch (const std::exception& error) {
    return report(error.what(), 1);
  }
}
