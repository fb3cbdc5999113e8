#include "graph/geometry.h"
#include "graph/infer/infer_context.h"
#include "graph/infer/infer_operators.h"

namespace edgeocr::graph {

void infer_pool(InferContext& context) {
  const Node& node = context.node();
  const Inferred& input = context.input("X");
  context.expect_rank(input, "input", 4);
  context.expect_dtype(input, "input", context.float_dtype());
  std::string type = node.attr_string("pooling_type", "max");
  if (type != "max" && type != "avg") context.reject("pooling_type is %s, expected max or avg", type.c_str());

  if (node.attr_int("adaptive", 0) != 0 && node.attr_int("global_pooling", 0) == 0) {
    std::vector<int64_t> size = node.attr_ints("ksize");
    if (size.size() != 2) context.reject("ksize has %zu values, expected 2", size.size());
    context.set_output(input.dtype, {input.shape[0], input.shape[1], size[0], size[1]});
    return;
  }
  Window window = pool_window(node, input.shape);
  bool ceil_mode = node.attr_int("ceil_mode", 0) != 0;
  context.set_output(input.dtype, {input.shape[0], input.shape[1], pooled_size(window, 0, input.shape[2], ceil_mode),
                                   pooled_size(window, 1, input.shape[3], ceil_mode)});
}

}  // namespace edgeocr::graph
