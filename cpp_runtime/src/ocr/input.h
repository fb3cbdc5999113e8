// Picture → network input: sizes, resize, normalisation, zero padding. A tensor made here is a feature map Nx3xHxW in the
// engine's layout (channels innermost, pixel stride 4, fourth lane zero), see base/tensor.h.
#pragma once

#include "base/tensor.h"
#include "ocr/image.h"

namespace edgeocr::ocr {

// (x/255 - mean) / std per channel, in the order B G R of the picture (PaddleOCR's own order: mean[0] applies to B), in float32,
// to the bit as numpy computes it. PaddleOCR multiplies by float32(1/255) for the detector (NormalizeImage) and divides by 255
// for lines (resize_norm_img).
struct Normalisation {
  float mean[3], std[3];
  bool by_reciprocal = false;
};
constexpr Normalisation kDetectorNormalisation{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}, true};
constexpr Normalisation kLineNormalisation{{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}, false};

struct Size {
  int width = 0, height = 0;
};

// Detector: long side <= limit_side_len (ratio, then int()), each side round-half-even(side/32)*32, at least 32.
Size detector_size(int picture_width, int picture_height, int limit_side_len = 960);
// Recogniser: net width max(320, int(height*w/h)); content min(net width, ceil(height*w/h)).
struct LineSize {
  int net_width = 0, content_width = 0;
};
LineSize recogniser_size(int crop_width, int crop_height, int net_height);
// Classifier: its input is 3x48x192 (PaddleOCR's cls_image_shape); content min(192, ceil(48*w/h)).
constexpr int kClassifierHeight = 48, kClassifierWidth = 192;
LineSize classifier_size(int crop_width, int crop_height);

// Resizes the picture to content_width x the height of `out`, normalises it into batch item n of `out` (fp32) and zeros the
// rest of every row.
void fill_input(const Image& picture, int content_width, const Normalisation& normalisation, const TensorView& out, int n);

}  // namespace edgeocr::ocr
