#include "request.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"

using edgeocr::parse_request;
using edgeocr::read_request_line;
using edgeocr::Request;
using edgeocr::RequestError;
using edgeocr::RequestId;

namespace {

struct Failure {
  std::string message;
  std::optional<RequestId> id;
};

Failure failure_of(const std::string& line) {
  try {
    parse_request(line);
  } catch (const RequestError& error) {
    return {error.what(), error.id()};
  }
  return {};
}

// Lines of a stream that holds `text`; a line that was too long shows as "<too long>".
std::vector<std::string> lines_of(const std::string& text) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::tmpfile(), std::fclose);
  std::fwrite(text.data(), 1, text.size(), stream.get());
  std::rewind(stream.get());
  std::vector<std::string> lines;
  bool too_long = false;
  for (std::string line; read_request_line(stream.get(), line, too_long);) lines.push_back(too_long ? "<too long>" : line);
  return lines;
}

}  // namespace

TEST_CASE("request: a picture, with and without repeats") {
  const Request plain = parse_request(R"({"id":1,"picture":"/a b/\u00e9.jpg"})");
  CHECK(plain.id == RequestId{int64_t{1}});
  CHECK(plain.picture == "/a b/é.jpg");
  CHECK_FALSE(plain.repeats.has_value());
  CHECK_FALSE(plain.quit);
  CHECK(parse_request(R"({"repeats":3,"picture":"x","id":"k"})").repeats == 3);
  CHECK(parse_request(R"({"picture":"x","id":"k"})").id == RequestId{std::string("k")});
}

TEST_CASE("request: quit") {
  CHECK(parse_request(R"({"id":2,"quit":true})").quit);
  CHECK_FALSE(parse_request(R"({"id":2,"quit":false,"picture":"x"})").quit);
}

TEST_CASE("request: without a usable id the error has none") {
  for (const char* line :
       {"", "{", "nonsense", "[]", "1", "{}", R"({"picture":"x"})", R"({"id":1.5,"picture":"x"})", R"({"id":null,"picture":"x"})",
        R"({"id":1e300,"picture":"x"})", R"({"id":9007199254740993,"picture":"x"})", R"({"id":1,"picture":"x"} {})"}) {
    CAPTURE(line);
    const Failure failure = failure_of(line);
    CHECK_FALSE(failure.message.empty());
    CHECK_FALSE(failure.id.has_value());
  }
}

TEST_CASE("request: other errors carry the id") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"id":7})", "request has no picture"},
      {R"({"id":7,"picture":""})", "request's picture is not a path"},
      {R"({"id":7,"picture":3})", "request's picture is not a path"},
      {R"({"id":7,"picture":"a\u0000b"})", "request's picture is not a path"},
      {R"({"id":7,"picture":"x","repeats":0})", "request's repeats is not an integer from 1 to 1000000"},
      {R"({"id":7,"picture":"x","repeats":1.5})", "request's repeats is not an integer from 1 to 1000000"},
      {R"({"id":7,"picture":"x","repeats":"2"})", "request's repeats is not an integer from 1 to 1000000"},
      {R"({"id":7,"quit":1})", "request's quit is not true or false"},
      {R"({"id":7,"picture":"x","threads":2})", "request has the unknown member 'threads', expected id, picture, repeats or quit"},
  };
  for (const auto& [line, message] : cases) {
    CAPTURE(line);
    const Failure failure = failure_of(line);
    CHECK(failure.message == message);
    CHECK(failure.id == RequestId{int64_t{7}});
  }
}

TEST_CASE("request lines: split at line feeds, the last needs none") {
  CHECK(lines_of("").empty());
  CHECK(lines_of("a\n\nb") == std::vector<std::string>{"a", "", "b"});
  CHECK(lines_of("a\n") == std::vector<std::string>{"a"});
}

TEST_CASE("request lines: a long line is skipped, the next is read") {
  const std::string longest(edgeocr::kMaxJsonBytes, 'x');
  CHECK(lines_of(longest + "\n" + longest + "y\nz\n") == std::vector<std::string>{longest, "<too long>", "z"});
}
