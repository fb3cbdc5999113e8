#include "kernels/floating/winograd_filter.h"

namespace edgeocr::kernels::floating {

std::function<float(int64_t, int64_t, int64_t)> winograd_weights(const graph::Constant& filter, const double (&row)[3],
                                                                 const double (&column)[3]) {
  const auto values = filter.as<float>();
  const int64_t outputs = filter.shape[0], inputs = filter.shape[1];
  return [=, &row, &column](int64_t, int64_t c, int64_t o) {
    if (c >= inputs || o >= outputs) return 0.0f;
    double sum = 0;
    for (int64_t tap = 0; tap < 9; tap++)
      sum += row[tap / 3] * column[tap % 3] * static_cast<double>(values[static_cast<size_t>((o * inputs + c) * 9 + tap)]);
    return static_cast<float>(sum);
  };
}

}  // namespace edgeocr::kernels::floating
