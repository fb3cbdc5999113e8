#include "arguments.h"

#include <doctest/doctest.h>

using edgeocr::Arguments;
using edgeocr::UsageError;

namespace {

struct Parsed {
  int threads = 1;
  float thresh = 0.5f;
  bool generic = false;
  std::string det;
  std::vector<int64_t> input;
  std::vector<std::string> rest;
  bool wants_help = false;
};

Parsed parse(std::vector<const char*> arguments) {
  Parsed parsed;
  Arguments options("test");
  options.integer("--threads", "T", "", &parsed.threads, 1, 64);
  options.number("--thresh", "X", "", &parsed.thresh, 0, 1);
  options.flag("--generic", "", &parsed.generic);
  options.text("--det", "FILE", "", &parsed.det);
  options.shape("--input", "N,C,H,W", "", &parsed.input);
  parsed.rest = options.parse(arguments);
  parsed.wants_help = options.wants_help();
  return parsed;
}

std::string usage_error(std::vector<const char*> arguments) {
  try {
    parse(std::move(arguments));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("arguments: options, flags and the rest, in any order") {
  const Parsed parsed =
      parse({"a.jpg", "--threads", "4", "--generic", "--det=d.nb", "b.jpg", "--thresh", "0.25", "--input", "1,3,32,320", "-"});
  CHECK(parsed.threads == 4);
  CHECK(parsed.thresh == 0.25f);
  CHECK(parsed.generic);
  CHECK(parsed.det == "d.nb");
  CHECK(parsed.input == std::vector<int64_t>{1, 3, 32, 320});
  CHECK(parsed.rest == std::vector<std::string>{"a.jpg", "b.jpg", "-"});
}

TEST_CASE("arguments: what is not given keeps its default") {
  const Parsed parsed = parse({});
  CHECK(parsed.threads == 1);
  CHECK(parsed.thresh == 0.5f);
  CHECK_FALSE(parsed.generic);
  CHECK(parsed.rest.empty());
}

TEST_CASE("arguments: -- ends the options") {
  CHECK(parse({"--", "--threads", "--help"}).rest == std::vector<std::string>{"--threads", "--help"});
}

TEST_CASE("arguments: --help wins over everything else") {
  CHECK(parse({"--nonsense", "--help"}).wants_help);
  CHECK(parse({"-h"}).wants_help);
}

TEST_CASE("arguments: every usage error names the option") {
  CHECK(usage_error({"--nonsense"}) == "no such option: --nonsense");
  CHECK(usage_error({"-x"}) == "no such option: -x");
  CHECK(usage_error({"--threads"}) == "--threads needs a value: --threads T");
  CHECK(usage_error({"--threads", "1", "--threads", "2"}) == "--threads is given twice");
  CHECK(usage_error({"--generic=1"}) == "--generic takes no value");
  CHECK(usage_error({"--det="}) == "--det is empty");
  for (const char* bad : {"0", "65", "4x", "", " 4", "4.0", "99999999999999999999", "-1"}) {
    CHECK(usage_error({"--threads", bad}) == "--threads is '" + std::string(bad) + "', expected an integer from 1 to 64");
  }
  for (const char* bad : {"1.5", "-0.1", "nan", "inf", "0x1", "1e99", "", "0.5 "}) {
    CHECK(usage_error({"--thresh", bad}) == "--thresh is '" + std::string(bad) + "', expected a number from 0 to 1");
  }
  for (const char* bad :
       {"1,3,32", "1,3,32,320,1", "1,3,0,320", "1,3,-1,320", "1,,3,2", "1,3,32,", ",1,3,32", "a", "", "1,3,32,99999999999"}) {
    CHECK(usage_error({"--input", bad}) == "--input is '" + std::string(bad) + "', expected four sizes N,C,H,W such as 1,3,640,640");
  }
}

TEST_CASE("arguments: help lists every option") {
  int threads = 1;
  Arguments options("edgeocr_run bench MODEL.nb [options]");
  options.integer("--threads", "T", "threads", &threads, 1, 64);
  CHECK(options.help() == "usage: edgeocr_run bench MODEL.nb [options]\n  --threads T                 threads\n");
}
