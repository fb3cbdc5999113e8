#include "ocr/ctc.h"

#include "base/error.h"

namespace edgeocr::ocr {

Line decode_ctc(std::span<const int> classes, std::span<const float> probabilities, const Dictionary& dictionary) {
  if (classes.size() != probabilities.size()) {
    fail("CTC has %zu classes and %zu probabilities, expected as many", classes.size(), probabilities.size());
  }
  constexpr int kBlank = 0;
  Line line;
  double sum = 0;
  int kept = 0, last = kBlank;
  for (size_t step = 0; step < classes.size(); ++step) {
    const int klass = classes[step];
    if (klass != kBlank && klass != last) {
      line.text += dictionary.text_of(klass);
      sum += probabilities[step];
      ++kept;
    }
    last = klass;
  }
  if (kept > 0) line.score = static_cast<float>(sum / kept);
  return line;
}

}  // namespace edgeocr::ocr
