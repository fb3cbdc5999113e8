#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "ocr/ctc.h"

namespace edgeocr::ocr {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

void require_utf8(std::string_view line, size_t number, const std::string& name) {
  if (!is_utf8(line)) fail("%s: line %zu is not UTF-8, expected one key of a dictionary", name.c_str(), number);
}

}  // namespace

Dictionary Dictionary::load(const std::string& path) {
  const std::vector<std::byte> bytes = read_whole_file(path, kMaxDictionaryBytes);
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Dictionary Dictionary::parse(std::string_view text, const std::string& name) {
  if (text.size() > kMaxDictionaryBytes) {
    fail("%s: size is %zu bytes, expected at most %zu", name.c_str(), text.size(), kMaxDictionaryBytes);
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Dictionary dictionary;
  dictionary.name_ = name;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    require_utf8(line, dictionary.keys_.size() + 1, name);
    dictionary.keys_.emplace_back(line);
  }
  if (dictionary.keys_.empty()) fail("%s: no key in it, expected one key a line", name.c_str());
  dictionary.keys_.emplace_back(" ");
  return dictionary;
}

const std::string& Dictionary::text_of(int klass) const {
  if (klass < 1 || static_cast<size_t>(klass) >= classes()) fail("%s: class is %d, expected 1 to %zu", name_.c_str(), klass, classes() - 1);
  return keys_[static_cast<size_t>(klass) - 1];
}

void Dictionary::check(size_t model_classes, const std::string& model) const {
  if (classes() == model_classes) return;
  fail("%s: %zu keys give %zu classes (blank, keys, space), but %s has %zu: this dictionary belongs to another recogniser", name_.c_str(),
       keys_.size() - 1, classes(), model.c_str(), model_classes);
}

}  // namespace edgeocr::ocr
