// JSON as the runner's protocol needs it: a streaming writer for records, and a bounded parser for one-line requests.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace edgeocr {

// Builds one value as text, without spaces or line breaks. Commas and quotes are its business, balance is the caller's:
//   JsonWriter w;
//   w.begin_object().key("type").value("hello").key("box").begin_array().value(1).value(2).end_array().end_object();
// Strings come out as valid UTF-8 (a byte that is none becomes U+FFFD); doubles and floats as the shortest text that reads
// back as the same value; NaN and infinities, which JSON lacks, as null.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(float number);
  JsonWriter& value(bool truth);
  JsonWriter& value(std::integral auto number) {
    separate();
    text_ += std::to_string(number);
    return *this;
  }
  JsonWriter& null();
  const std::string& str() const { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();  // a comma, unless the value is the first of its container or follows its key
  void quote(std::string_view text);

  std::string text_;
  bool first_ = true;
};

struct JsonValue {
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;  // in order; names are unique
  std::variant<std::nullptr_t, bool, double, std::string, Array, Object> data = nullptr;

  // Member `name` of an object; null if this is no object or has none.
  const JsonValue* find(std::string_view name) const;
  template <class T> const T* as() const { return std::get_if<T>(&data); }
};

// Limits of parse_json: a request is a short line.
constexpr size_t kMaxJsonBytes = 65536;
constexpr int kMaxJsonDepth = 8;

// RFC 8259, one value and nothing behind it but white space. Fails with "JSON at byte N: <what>, expected <what>".
JsonValue parse_json(std::string_view text);

}  // namespace edgeocr
