#include "model_role.h"

#include <optional>
#include <string>

#include "base/error.h"
#include "base/tensor.h"
#include "graph/graph.h"
#include "graph/passes/greedy_ctc.h"
#include "ocr/input.h"

namespace edgeocr {
namespace {

using ocr::kClassifierHeight;
using ocr::kClassifierWidth;

const char* file_of(const Session& session) { return session.graph().name.c_str(); }

// Shape of the file's first output for one input shape. Fails where the net cannot take it.
Shape output_shape(const Session& session, const Shape& input) {
  const graph::Graph& graph = session.graph();
  const graph::ValueId scores = graph::greedy_ctc_scores(graph);
  const graph::ValueId output = scores == graph::kNoValue ? graph.outputs[0] : scores;
  return graph::infer(graph, {&input, 1})[static_cast<size_t>(output)].shape;
}

// What the net is instead, for messages: known by the form of its output for the inputs that the pipeline's nets take.
const char* likeness(const Session& session) {
  for (const Shape& input : {Shape{1, 3, 64, 320}, Shape{1, 3, 32, 320}, Shape{1, 3, kClassifierHeight, kClassifierWidth}}) {
    try {
      const Shape output = output_shape(session, input);
      if (output.rank() == 4) return "a detector";
      if (output.rank() == 3) return "a recogniser";
      if (output == Shape{1, 2}) return "a direction classifier";
    } catch (const Error&) {
      continue;
    }
  }
  return "none of the pipeline's nets";
}

void require_picture_input(const Session& session) {
  const graph::Graph& graph = session.graph();
  if (graph.inputs.size() != 1) fail("%s: has %zu inputs, expected 1 (a picture)", file_of(session), graph.inputs.size());
  if (graph.outputs.empty()) fail("%s: has no outputs, expected 1", file_of(session));
  const Shape& feed = session.feed_shape();
  if (feed.rank() != 4) fail("%s: feed shape has %d dimensions, expected 4 (N, C, H, W)", file_of(session), feed.rank());
  if (feed[1] != 3 && feed[1] != -1)
    fail("%s: feed shape has %lld channels, expected 3", file_of(session), static_cast<long long>(feed[1]));
  if (feed[0] > 1)
    fail("%s: batch size is fixed to %lld, expected 1 or any (-1): convert it with one of these", file_of(session),
         static_cast<long long>(feed[0]));
}

// Output for the input of a role; fails with what the net looks like unless `fits(output)`.
template <class Fits>
Shape require_output(const Session& session, const char* role, const Shape& input, const std::string& expected, const Fits& fits) {
  std::optional<Shape> output;
  std::string reason;
  try {
    output = output_shape(session, input);
    if (fits(*output)) return *output;
    reason = std::string(file_of(session)) + ": output is " + output->str() + ", expected " + expected;
  } catch (const Error& error) {
    reason = error.what();
  }
  fail("%s (input %s): this looks like %s, not like a %s", reason.c_str(), input.str().c_str(), likeness(session), role);
}

}  // namespace

bool takes_one_at_a_time(const Session& session) { return session.feed_shape()[0] == 1; }

void require_detector(const Session& session) {
  require_picture_input(session);
  const Shape input{1, 3, 64, 320}, expected{1, 1, 64, 320};
  require_output(session, "detector", input, expected.str(), [&](const Shape& output) { return output == expected; });
}

void require_classifier(const Session& session) {
  require_picture_input(session);
  const Shape input{1, 3, kClassifierHeight, kClassifierWidth}, expected{1, 2};
  require_output(session, "direction classifier", input, expected.str(), [&](const Shape& output) { return output == expected; });
}

RecogniserForm require_recogniser(const Session& session) {
  require_picture_input(session);
  const int64_t height = session.feed_shape()[2];
  if (height != 32 && height != 48) {
    fail("%s: input height is %lld, expected 32 or 48: this looks like %s, not like a recogniser", file_of(session),
         static_cast<long long>(height), likeness(session));
  }
  const Shape output = require_output(session, "recogniser", Shape{1, 3, height, 320}, "1 x steps x classes (at least 3)",
                                      [](const Shape& shape) { return shape.rank() == 3 && shape[0] == 1 && shape[2] >= 3; });
  if (graph::greedy_ctc_scores(session.graph()) == graph::kNoValue)
    fail("%s: output is no fp32 scores that follow from the input, as a recogniser's are", file_of(session));
  return {static_cast<int>(height), static_cast<size_t>(output[2])};
}

}  // namespace edgeocr
