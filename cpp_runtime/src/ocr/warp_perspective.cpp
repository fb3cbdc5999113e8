#include <algorithm>
#include <climits>
#include <cmath>

#include "base/error.h"
#include "ocr/crop.h"

namespace edgeocr::ocr {
namespace {

constexpr int kFractionBits = 5;  // OpenCV's INTER_BITS
constexpr int kSteps = 1 << kFractionBits;
constexpr int kTaps = 4;
constexpr int kWeightBits = 15;
constexpr int kWeightOne = 1 << kWeightBits;
// OpenCV works in blocks: a row's position is computed anew at the first column of each, and its rounding shows.
constexpr int kBlockRows = 16;
constexpr int kBlockArea = 1024;

// The 4x4 weights of one sub-pixel position, row-major, sum kWeightOne.
using Weights = std::array<int16_t, kTaps * kTaps>;

// Keys' cubic with a = -0.75 at distances 1 + x, x, 1 - x, 2 - x; in float, the last by the sum.
std::array<float, kTaps> cubic(float x) {
  constexpr float a = -0.75f;
  std::array<float, kTaps> w{};
  w[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  w[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
  w[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
  w[3] = 1.0f - w[0] - w[1] - w[2];
  return w;
}

Weights weights_at(int x_step, int y_step) {
  const std::array<float, kTaps> across = cubic(static_cast<float>(x_step) / kSteps), down = cubic(static_cast<float>(y_step) / kSteps);
  Weights weights{};
  int sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const long rounded = std::lrint(down[i / kTaps] * across[i % kTaps] * kWeightOne);
    weights[i] = static_cast<int16_t>(std::clamp<long>(rounded, SHRT_MIN, SHRT_MAX));
    sum += weights[i];
  }
  // What rounding lost goes to the largest of four middle weights, what it added comes off the least; the four that OpenCV looks
  // at start at (2, 2).
  if (sum == kWeightOne) return weights;
  size_t least = 10, largest = 10;
  for (size_t i : {10, 11, 14, 15}) {
    if (weights[i] < weights[least]) {
      least = i;
    } else if (weights[i] > weights[largest]) {
      largest = i;
    }
  }
  int16_t& corrected = weights[sum < kWeightOne ? largest : least];
  corrected = static_cast<int16_t>(corrected - (sum - kWeightOne));
  return weights;
}

const std::vector<Weights>& weight_table() {
  static const std::vector<Weights> table = [] {
    std::vector<Weights> made;
    for (int y = 0; y < kSteps; ++y) {
      for (int x = 0; x < kSteps; ++x) made.push_back(weights_at(x, y));
    }
    return made;
  }();
  return table;
}

// Saturated; NaN, from a zero times an infinity, goes to the least.
int to_fixed(double value) {
  if (!(value > INT_MIN)) return INT_MIN;
  return value < INT_MAX ? static_cast<int>(std::nearbyint(value)) : INT_MAX;
}

// The source position (x, y) is in 1/32 pixels.
void sample(const Image& picture, const std::vector<Weights>& table, int x, int y, uint8_t* out) {
  const Weights& weights = table[static_cast<size_t>((y & (kSteps - 1)) * kSteps + (x & (kSteps - 1)))];
  const int left = (x >> kFractionBits) - 1, top = (y >> kFractionBits) - 1;
  ptrdiff_t columns[kTaps];
  for (int i = 0; i < kTaps; ++i) columns[i] = ptrdiff_t{std::clamp(left + i, 0, picture.width - 1)} * 3;
  int sums[3] = {kWeightOne / 2, kWeightOne / 2, kWeightOne / 2};
  for (int i = 0; i < kTaps; ++i) {
    const uint8_t* row = picture.row(std::clamp(top + i, 0, picture.height - 1));
    for (int j = 0; j < kTaps; ++j) {
      const int weight = weights[static_cast<size_t>(i * kTaps + j)];
      for (int c = 0; c < 3; ++c) sums[c] += row[columns[j] + c] * weight;
    }
  }
  for (int c = 0; c < 3; ++c) out[c] = static_cast<uint8_t>(std::clamp(sums[c] >> kWeightBits, 0, 255));
}

}  // namespace

Image warp_perspective_cubic(const Image& picture, const Matrix3& matrix, int width, int height) {
  if (picture.width < 1 || picture.height < 1 || width < 1 || height < 1) {
    fail("warp is %dx%d to %dx%d, expected sides of at least 1", picture.width, picture.height, width, height);
  }
  const std::vector<Weights>& table = weight_table();
  const Matrix3 m = inverse(matrix);
  const int block_width = std::min(kBlockArea / std::min(kBlockRows, height), width);
  Image out(width, height);
  for (int y = 0; y < height; ++y) {
    uint8_t* to = out.row(y);
    for (int block = 0; block < width; block += block_width) {
      const double x0 = m[0] * block + m[1] * y + m[2], y0 = m[3] * block + m[4] * y + m[5], w0 = m[6] * block + m[7] * y + m[8];
      const int end = std::min(block_width, width - block);
      for (int i = 0; i < end; ++i, to += 3) {
        const double w = w0 + m[6] * i;
        const double scale = w != 0 ? kSteps / w : 0;
        sample(picture, table, to_fixed((x0 + m[0] * i) * scale), to_fixed((y0 + m[3] * i) * scale), to);
      }
    }
  }
  return out;
}

}  // namespace edgeocr::ocr
