// What a net of the pipeline must look like: tells models that were swapped by mistake before any picture is read.
#pragma once

#include <cstddef>

#include "edgeocr/session.h"

namespace edgeocr {

// Whether the file fixes the batch; to no other number than one, which the functions below see to.
bool takes_one_at_a_time(const Session& session);

// Fails unless a picture 1x3xHxW gives a map 1x1xHxW.
void require_detector(const Session& session);
// Fails unless a line 1x3x48x192 gives 1x2 probabilities.
void require_classifier(const Session& session);

struct RecogniserForm {
  int height = 0;      // of the input: 32 or 48
  size_t classes = 0;  // last dimension of the output N x steps x classes
};
// Fails unless the feed shape is Nx3x32xW or Nx3x48xW and the output, scores that greedy CTC decoding has taken, has rank 3.
RecogniserForm require_recogniser(const Session& session);

}  // namespace edgeocr
