// Greedy CTC decoding and the dictionary.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edgeocr::ocr {

constexpr size_t kMaxDictionaryBytes = 1 << 20;

// One key a line; class 0 is blank, then the keys in order, then space (PaddleOCR's use_space_char).
class Dictionary {
 public:
  // UTF-8, at most kMaxDictionaryBytes; line ends LF or CRLF, a byte order mark is skipped. Fails with "<path>: …" where the
  // file cannot be read, is not UTF-8 or has no key.
  static Dictionary load(const std::string& path);
  static Dictionary parse(std::string_view text, const std::string& name);
  size_t classes() const { return keys_.size() + 1; }
  const std::string& text_of(int klass) const;  // 1 … classes() - 1
  // Fails unless the recogniser has as many classes: "<dict>: 94 keys give 96 classes, but <model> has 6625: …".
  void check(size_t model_classes, const std::string& model) const;

 private:
  std::string name_;
  std::vector<std::string> keys_;  // space last
};

struct Line {
  std::string text;
  float score = 0;  // mean of the kept steps' probabilities; 0 for empty text
};

// The winning class of every time step and its probability → text: repeats merged, blanks dropped; the probabilities of steps
// that are dropped do not matter. Fails on a class that the dictionary lacks.
Line decode_ctc(std::span<const int> classes, std::span<const float> probabilities, const Dictionary& dictionary);

}  // namespace edgeocr::ocr
