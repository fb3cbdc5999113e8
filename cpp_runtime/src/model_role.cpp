#include "model_role.h"

#include <string>

#include "base/error.h"
#include "base/tensor.h"
#include "graph/graph.h"

namespace edgeocr {
namespace {

const char* name_of_session(const Session& session) { return session.graph().name.c_str(); }

// Output shape of the first output for one input shape.
Shape output_shape(const Session& session, const Shape& input) {
  const graph::Graph& graph = session.graph();
  if (graph.inputs.size() != 1) fail("%s: has %zu inputs, expected 1 (a picture)", name_of_session(session), graph.inputs.size());
  if (graph.outputs.empty()) fail("%s: has no outputs", name_of_session(session));
  return graph::infer(graph, {&input, 1})[static_cast<size_t>(graph.outputs[0])].shape;
}

// What a net looks like from outside, for messages.
const char* likeness(const Shape& output) {
  if (output.rank() == 4) return "a detector";
  if (output.rank() == 3) return "a recogniser";
  if (output.rank() == 2 && output[1] == 2) return "a direction classifier";
  return "none of the pipeline's nets";
}

[[noreturn]] void reject(const Session& session, const char* role, const Shape& input, const Shape& output, const std::string& expected) {
  fail("%s: output is %s for input %s, expected %s: this looks like %s, not like a %s", name_of_session(session), output.str().c_str(),
       input.str().c_str(), expected.c_str(), likeness(output), role);
}

// The file's own input shape, with sizes that fit every role where it is dynamic: role checks must not fail inside a net that is
// merely the wrong one.
Shape own_input(const Session& session) {
  Shape input = session.feed_shape();
  if (input.rank() != 4) fail("%s: feed shape has rank %d, expected 4 (N, C, H, W)", name_of_session(session), input.rank());
  const int64_t fallback[] = {1, 3, 64, 320};
  input[0] = 1;
  for (int i = 1; i < 4; ++i) {
    if (input[i] < 1) input[i] = fallback[i];
  }
  if (input[1] != 3) fail("%s: feed shape has %lld channels, expected 3", name_of_session(session), static_cast<long long>(input[1]));
  return input;
}

}  // namespace

void require_detector(const Session& session) {
  Shape input = own_input(session);
  const Shape output = output_shape(session, input);
  const Shape expected{1, 1, input[2], input[3]};
  if (output != expected) reject(session, "detector", input, output, expected.str());
}

void require_classifier(const Session& session) {
  const Shape own = own_input(session);
  if (const Shape output = output_shape(session, own); output != Shape{1, 2}) reject(session, "direction classifier", own, output, "1x2");
  const Shape input{1, 3, kClassifierHeight, kClassifierWidth};
  if (const Shape output = output_shape(session, input); output != Shape{1, 2}) reject(session, "direction classifier", input, output, "1x2");
}

RecogniserForm require_recogniser(const Session& session) {
  const Shape input = own_input(session);
  const Shape output = output_shape(session, input);
  if (output.rank() != 3 || output[0] != 1) reject(session, "recogniser", input, output, "1 x steps x classes");
  const int64_t height = session.feed_shape()[2];
  if (height != 32 && height != 48) {
    fail("%s: input height is %lld, expected 32 or 48", name_of_session(session), static_cast<long long>(height));
  }
  if (output[2] < 3) fail("%s: has %lld classes, expected at least 3", name_of_session(session), static_cast<long long>(output[2]));
  const int64_t batch = session.feed_shape()[0];
  return {static_cast<int>(height), static_cast<size_t>(output[2]), batch > 0 ? static_cast<int>(batch) : 0};
}

}  // namespace edgeocr
