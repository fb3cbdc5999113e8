#include "ocr/resize.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace edgeocr::ocr {
namespace {

constexpr int kChannels = 3;
constexpr int kWeightBits = 11;  // OpenCV's INTER_RESIZE_COEF_BITS
constexpr float kWeightOne = 1 << kWeightBits;

// Where one output column (or row) reads: two source positions and their weights, which sum to about 2048.
struct Tap {
  int first = 0, second = 0;
  int first_weight = 0, second_weight = 0;
};

int to_weight(float share) { return static_cast<int>(std::lrint(share * kWeightOne)); }

// Taps of `length` outputs over `source_length` inputs. Positions are rounded to float as OpenCV does; columns before the first
// and behind the last pixel centre get the whole weight on one tap (`snap`), rows keep two weights on the same row.
std::vector<Tap> make_taps(int source_length, int length, bool snap) {
  const double scale = 1.0 / (static_cast<double>(length) / source_length);
  std::vector<Tap> taps(static_cast<size_t>(length));
  for (int i = 0; i < length; ++i) {
    const float position = static_cast<float>((i + 0.5) * scale - 0.5);
    int base = static_cast<int>(std::floor(position));
    float share = position - static_cast<float>(base);
    if (snap && (base < 0 || base >= source_length - 1)) {
      base = std::clamp(base, 0, source_length - 1);
      share = 0;
    }
    const int first = std::clamp(base, 0, source_length - 1), second = std::clamp(base + 1, 0, source_length - 1);
    taps[static_cast<size_t>(i)] = {first, second, to_weight(1.0f - share), to_weight(share)};
  }
  return taps;
}

void blend_columns(const uint8_t* row, const std::vector<Tap>& columns, std::vector<int>& out) {
  int* to = out.data();
  for (const Tap& tap : columns) {
    const uint8_t* first = row + static_cast<ptrdiff_t>(tap.first) * kChannels;
    const uint8_t* second = row + static_cast<ptrdiff_t>(tap.second) * kChannels;
    for (int c = 0; c < kChannels; ++c) *to++ = first[c] * tap.first_weight + second[c] * tap.second_weight;
  }
}

// The shifts drop the same bits as OpenCV's vector code, which keeps 16-bit halves.
void blend_rows(const std::vector<int>& first, const std::vector<int>& second, const Tap& tap, uint8_t* out) {
  for (size_t i = 0; i < first.size(); ++i) {
    const int sum = ((tap.first_weight * (first[i] >> 4)) >> 16) + ((tap.second_weight * (second[i] >> 4)) >> 16);
    out[i] = static_cast<uint8_t>(std::clamp((sum + 2) >> 2, 0, 255));
  }
}

// OpenCV turns an exact halving of both sides into the mean of 2 x 2 pixels (INTER_AREA).
Image halve(const Image& source) {
  Image out(source.width / 2, source.height / 2);
  for (int y = 0; y < out.height; ++y) {
    const uint8_t* upper = source.row(2 * y);
    const uint8_t* lower = source.row(2 * y + 1);
    uint8_t* to = out.row(y);
    for (int x = 0; x < out.width; ++x, upper += 2 * kChannels, lower += 2 * kChannels) {
      for (int c = 0; c < kChannels; ++c) {
        const int sum = upper[c] + upper[c + kChannels] + lower[c] + lower[c + kChannels];
        *to++ = static_cast<uint8_t>((sum + 2) >> 2);
      }
    }
  }
  return out;
}

}  // namespace

Image resize_bilinear(const Image& source, int width, int height) {
  if (source.width < 1 || source.height < 1 || width < 1 || height < 1) {
    fail("resize is %dx%d to %dx%d, expected sides of at least 1", source.width, source.height, width, height);
  }
  if (source.width == width && source.height == height) return source;
  if (source.width == 2 * static_cast<int64_t>(width) && source.height == 2 * static_cast<int64_t>(height)) return halve(source);

  const std::vector<Tap> columns = make_taps(source.width, width, true), rows = make_taps(source.height, height, false);
  Image out(width, height);
  const size_t row_length = static_cast<size_t>(width) * kChannels;
  std::vector<int> upper(row_length), lower(row_length);  // source rows upper_y and lower_y with their columns blended
  int upper_y = -1, lower_y = -1;
  for (int y = 0; y < height; ++y) {
    const Tap& tap = rows[static_cast<size_t>(y)];
    if (tap.first == lower_y) {
      std::swap(upper, lower);
      std::swap(upper_y, lower_y);
    }
    if (tap.first != upper_y) blend_columns(source.row(upper_y = tap.first), columns, upper);
    if (tap.second != upper_y && tap.second != lower_y) blend_columns(source.row(lower_y = tap.second), columns, lower);
    blend_rows(upper, tap.second == upper_y ? upper : lower, tap, out.row(y));
  }
  return out;
}

Image rotate_90_ccw(const Image& source) {
  Image out(source.height, source.width);
  for (int y = 0; y < out.height; ++y) {
    uint8_t* to = out.row(y);
    const ptrdiff_t column = static_cast<ptrdiff_t>(source.width - 1 - y) * kChannels;
    for (int x = 0; x < out.width; ++x, to += kChannels) std::copy_n(source.row(x) + column, kChannels, to);
  }
  return out;
}

void rotate_180(Image& image) {
  const size_t pixels = image.bgr.size() / kChannels;
  for (size_t i = 0; i < pixels / 2; ++i) {
    uint8_t* front = image.bgr.data() + i * kChannels;
    std::swap_ranges(front, front + kChannels, image.bgr.data() + (pixels - 1 - i) * kChannels);
  }
}

}  // namespace edgeocr::ocr
