#include <cinttypes>

#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

namespace {

void expect_tensor(const InferContext& context, const Inferred& tensor, const char* what, DataType dtype, const Shape& shape) {
  context.expect_dtype(tensor, what, dtype);
  if (tensor.shape != shape) context.reject("%s is %s, expected %s", what, tensor.shape.str().c_str(), shape.str().c_str());
}

}  // namespace

// Input [T, B, I]; PreState h0, c0 [layers·directions, B, H]; WeightList: w_ih [4H, I], w_hh [4H, H] per layer and direction, then
// b_ih, b_hh [4H] in the same order; Out [T, B, H·directions].
void infer_rnn(InferContext& context) {
  const Node& node = context.node();
  const Inferred& input = context.input("Input");
  const DataType dtype = context.float_dtype();
  context.expect_dtype(input, "input", dtype);
  context.expect_rank(input, "input", 3);
  if (std::string mode = node.attr_string("mode", "LSTM"); mode != "LSTM") context.reject("mode is %s, expected LSTM", mode.c_str());
  if (context.find("SequenceLength") != nullptr) context.reject("SequenceLength is given, expected sequences of equal length");

  int64_t hidden = node.attr_int("hidden_size"), layers = node.attr_int("num_layers", 1);
  int64_t directions = node.attr_int("is_bidirec", 0) != 0 ? 2 : 1;
  if (hidden < 1 || hidden > 65536 || layers < 1 || layers > 64)
    context.reject("hidden_size is %" PRId64 " and num_layers %" PRId64 ", expected 1 to 65536 and 1 to 64", hidden, layers);
  int cells = static_cast<int>(layers * directions);
  std::vector<const Inferred*> weights = context.all("WeightList");
  if (weights.size() != static_cast<size_t>(4 * cells))
    context.reject("WeightList has %zu tensors, expected %d", weights.size(), 4 * cells);
  for (int cell = 0; cell < cells; cell++) {
    int64_t width = cell < directions ? input.shape[2] : hidden * directions;
    expect_tensor(context, *weights[static_cast<size_t>(2 * cell)], "input weight", DataType::f32, {4 * hidden, width});
    expect_tensor(context, *weights[static_cast<size_t>(2 * cell + 1)], "hidden weight", DataType::f32, {4 * hidden, hidden});
    expect_tensor(context, *weights[static_cast<size_t>(2 * (cells + cell))], "input bias", DataType::f32, {4 * hidden});
    expect_tensor(context, *weights[static_cast<size_t>(2 * (cells + cell) + 1)], "hidden bias", DataType::f32, {4 * hidden});
  }
  for (int state = 0; state < 2; state++)
    expect_tensor(context, context.input("PreState", state), "PreState", dtype, {cells, input.shape[1], hidden});
  context.set_output(dtype, {input.shape[0], input.shape[1], hidden * directions});
}

}  // namespace edgeocr::graph
