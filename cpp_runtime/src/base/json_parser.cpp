#include <charconv>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace edgeocr {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  JsonValue document() {
    JsonValue value = parse(0);
    skip_space();
    if (position_ != text_.size()) reject("the end of the line");
    return value;
  }

 private:
  [[noreturn]] void reject(const char* expected) const {
    if (position_ >= text_.size()) fail("JSON at byte %zu: the line ends, expected %s", position_, expected);
    auto c = static_cast<unsigned char>(text_[position_]);
    if (c > 0x20 && c < 0x7F) fail("JSON at byte %zu: found '%c', expected %s", position_, c, expected);
    fail("JSON at byte %zu: found byte 0x%02x, expected %s", position_, c, expected);
  }

  void skip_space() {
    while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) position_++;
  }

  char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  bool accept(char c) {
    if (position_ >= text_.size() || text_[position_] != c) return false;
    position_++;
    return true;
  }

  bool accept_word(std::string_view word) {
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }

  JsonValue parse(int depth) {
    if (depth > kMaxJsonDepth) fail("JSON at byte %zu: nested deeper than %d", position_, kMaxJsonDepth);
    skip_space();
    if (accept_word("null")) return {nullptr};
    if (accept_word("true")) return {true};
    if (accept_word("false")) return {false};
    switch (peek()) {
      case '{': return {object(depth)};
      case '[': return {array(depth)};
      case '"': return {string()};
      default: return {number()};
    }
  }

  JsonValue::Object object(int depth) {
    position_++;
    JsonValue::Object members;
    skip_space();
    if (accept('}')) return members;
    do {
      skip_space();
      if (peek() != '"') reject("a name in quotes");
      size_t start = position_;
      std::string name = string();
      for (const auto& [other, value] : members)
        if (other == name) fail("JSON at byte %zu: name given twice, expected unique names", start);
      skip_space();
      if (!accept(':')) reject("':'");
      members.emplace_back(std::move(name), parse(depth + 1));
      skip_space();
    } while (accept(','));
    if (!accept('}')) reject("',' or '}'");
    return members;
  }

  JsonValue::Array array(int depth) {
    position_++;
    JsonValue::Array items;
    skip_space();
    if (accept(']')) return items;
    do {
      items.push_back(parse(depth + 1));
      skip_space();
    } while (accept(','));
    if (!accept(']')) reject("',' or ']'");
    return items;
  }

  std::string string() {
    position_++;
    std::string out;
    while (!accept('"')) {
      if (position_ >= text_.size()) reject("'\"'");
      if (accept('\\')) {
        escape(out);
        continue;
      }
      size_t length = utf8_sequence(text_.substr(position_));
      if (length == 0 || static_cast<uint8_t>(text_[position_]) < 0x20) reject("UTF-8 without control characters");
      out += text_.substr(position_, length);
      position_ += length;
    }
    return out;
  }

  void escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeaning = "\"\\/\b\f\n\r\t";
    size_t letter = position_ < text_.size() ? kLetters.find(text_[position_]) : std::string_view::npos;
    if (letter != std::string_view::npos) {
      out += kMeaning[letter];
      position_++;
      return;
    }
    if (!accept('u')) reject("an escape");
    uint32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00) {
      if (!accept_word("\\u")) reject("the second half of a surrogate pair");
      uint32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) reject("the second half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      reject("the first half of a surrogate pair before its second");
    }
    append_utf8(out, code);
  }

  uint32_t hex4() {
    std::string_view digits = text_.substr(position_, 4);
    uint32_t code = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || end != digits.data() + 4) reject("four hexadecimal digits");
    position_ += 4;
    return code;
  }

  void digits() {
    if (peek() < '0' || peek() > '9') reject("a digit");
    while (peek() >= '0' && peek() <= '9') position_++;
  }

  double number() {
    size_t start = position_;
    bool negative = accept('-');
    if (peek() < '0' || peek() > '9') reject(negative ? "a digit" : "a value");
    if (!accept('0')) digits();
    if (accept('.')) digits();
    if (accept('e') || accept('E')) {
      if (!accept('+')) accept('-');
      digits();
    }
    double value = 0;
    auto [end, error] = std::from_chars(text_.data() + start, text_.data() + position_, value);
    if (error != std::errc()) fail("JSON at byte %zu: number out of range", start);
    return value;
  }

  std::string_view text_;
  size_t position_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  if (const Object* members = as<Object>())
    for (const auto& [member, value] : *members)
      if (member == name) return &value;
  return nullptr;
}

JsonValue parse_json(std::string_view text) {
  if (text.size() > kMaxJsonBytes) fail("JSON: the line has %zu bytes, expected at most %zu", text.size(), kMaxJsonBytes);
  return Parser(text).document();
}

}  // namespace edgeocr
