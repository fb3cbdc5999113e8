#include "base/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"

using namespace edgeocr;

namespace {

std::string reason(std::string_view text) {
  try {
    parse_json(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("json: the writer places commas, keys and nesting") {
  JsonWriter w;
  w.begin_object().key("type").value("hello").key("box").begin_array();
  w.begin_array().value(1).value(-2).end_array().begin_array().end_array();
  w.end_array().key("none").null().key("on").value(true).key("empty").begin_object().end_object().end_object();
  CHECK(w.str() == R"({"type":"hello","box":[[1,-2],[]],"none":null,"on":true,"empty":{}})");
}

TEST_CASE("json: the writer escapes what a line of JSON cannot hold") {
  JsonWriter w;
  w.value(std::string_view("a\"b\\c\nd\te\r\0\x7f", 12));
  CHECK(w.str() == R"("a\"b\\c\nd\te\u000d\u0000\u007f")");
}

TEST_CASE("json: bytes that are not UTF-8 become U+FFFD, good text stays") {
  JsonWriter w;
  w.begin_array().value("文字\xF0\x9F\x93\xB7").value("a\xFFz").value("\xC0\xAF").value("\xED\xA0\x80").value("\xE6\x96").end_array();
  CHECK(w.str() == "[\"文字\xF0\x9F\x93\xB7\",\"a\uFFFDz\",\"\uFFFD\uFFFD\",\"\uFFFD\uFFFD\uFFFD\",\"\uFFFD\uFFFD\"]");
}

TEST_CASE("json: numbers are the shortest that read back") {
  JsonWriter w;
  w.begin_array().value(0.1).value(0.1f).value(1e300).value(-0.0).value(3.0).value(std::numeric_limits<int64_t>::min());
  w.value(uint64_t{18446744073709551615u}).value(std::nan("")).value(HUGE_VAL).end_array();
  CHECK(w.str() == "[0.1,0.1,1e+300,-0,3,-9223372036854775808,18446744073709551615,null,null]");
}

TEST_CASE("json: what the writer writes the parser reads") {
  std::string text;
  for (int c = 0; c < 128; c++) text += static_cast<char>(c);
  text += "é文\xF0\x9F\x93\xB7";
  JsonWriter w;
  w.begin_object().key(text).value(text).key("x").value(1.0 / 3).end_object();
  JsonValue v = parse_json(w.str());
  REQUIRE(v.find(text) != nullptr);
  CHECK(*v.find(text)->as<std::string>() == text);
  CHECK(*v.find("x")->as<double>() == 1.0 / 3);
}

TEST_CASE("json: a request is parsed") {
  JsonValue v = parse_json(R"( {"id":1,"picture":"/p\u00e4\ud83d\udcf7\/a b.jpg" , "flags":[true,false,null,-1.5e2]} )");
  CHECK(*v.find("id")->as<double>() == 1);
  CHECK(*v.find("picture")->as<std::string>() == "/pä\xF0\x9F\x93\xB7/a b.jpg");
  const auto& flags = *v.find("flags")->as<JsonValue::Array>();
  REQUIRE(flags.size() == 4);
  CHECK(*flags[0].as<bool>());
  CHECK(flags[2].as<std::nullptr_t>() != nullptr);
  CHECK(*flags[3].as<double>() == -150);
  CHECK(v.find("quit") == nullptr);
  CHECK(flags[0].find("id") == nullptr);
}

TEST_CASE("json: malformed requests are refused with place and expectation") {
  CHECK(reason("") == "JSON at byte 0: the line ends, expected a value");
  CHECK(reason("{\"a\":1") == "JSON at byte 6: the line ends, expected ',' or '}'");
  CHECK(reason("{\"a\" 1}") == "JSON at byte 5: found '1', expected ':'");
  CHECK(reason("{a:1}") == "JSON at byte 1: found 'a', expected a name in quotes");
  CHECK(reason("[1,]") == "JSON at byte 3: found ']', expected a value");
  CHECK(reason("[1 2]") == "JSON at byte 3: found '2', expected ',' or ']'");
  CHECK(reason("1 x") == "JSON at byte 2: found 'x', expected the end of the line");
  CHECK(reason("\"\\q\"") == "JSON at byte 2: found 'q', expected an escape");
  CHECK(reason("\"\\ud800x\"") == "JSON at byte 7: found 'x', expected the second half of a surrogate pair");
  CHECK(reason("\"\\u12g4\"") == "JSON at byte 3: found '1', expected four hexadecimal digits");
  CHECK(reason("{\"a\":1,\"a\":2}") == "JSON at byte 7: name given twice, expected unique names");
  CHECK(reason("1e999") == "JSON at byte 0: number out of range");
  CHECK(reason("01") == "JSON at byte 1: found '1', expected the end of the line");
  CHECK(reason("-") == "JSON at byte 1: the line ends, expected a digit");
  CHECK(reason("nul") == "JSON at byte 0: found 'n', expected a value");
  for (const char* bad : {"\"\n\"", "\"\xFF\"", "\"abc", "\"\\", "[", "{", "1.", "1e", "+1", ".5", "tru"}) CHECK_FALSE(reason(bad).empty());
  CHECK(reason(std::string(20, '[')) == "JSON at byte 9: nested deeper than 8");
  CHECK(reason(std::string(kMaxJsonBytes + 1, ' ')) == "JSON: the line has 65537 bytes, expected at most 65536");
}
