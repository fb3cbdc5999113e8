#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

void infer_greedy_ctc(InferContext& context) {
  const Inferred& scores = context.input("X");
  context.expect_dtype(scores, "X", DataType::f32);
  context.expect_rank(scores, "X", 3);
  if (context.node().outputs.size() != 2) context.reject("has %zu outputs, expected 2", context.node().outputs.size());
  const Shape steps{scores.shape[0], scores.shape[1]};
  context.set_output(DataType::i32, steps);
  context.set_output(DataType::f32, steps, nullptr, 1);
}

}  // namespace edgeocr::graph
