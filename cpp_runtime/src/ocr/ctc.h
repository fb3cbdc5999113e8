// Greedy CTC decoding and the dictionary.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace edgeocr::ocr {

// One key a line (UTF-8, at most 1 MB); class 0 is blank, then the keys, then space.
class Dictionary {
 public:
  // Fails with "<path>: …" on bad UTF-8 or an empty file.
  static Dictionary load(const std::string& path);
  static Dictionary parse(std::string_view text, const std::string& name);
  size_t classes() const { return keys_.size() + 2; }
  const std::string& text_of(int klass) const;  // 1 … classes()-1
  const std::string& name() const { return name_; }
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

// argmax and probability per time step.
Line decode_ctc(std::span<const int> classes, std::span<const float> probabilities, const Dictionary& dictionary);

}  // namespace edgeocr::ocr
