#include "graph/passes/reject_int8_deconv.h"

#include "base/error.h"
#include "graph/precision.h"

namespace edgeocr::graph {

void reject_int8_deconv(Graph& graph) {
  for (const Node& node : graph.nodes)
    if (node.op == "conv2d_transpose" && node.precision == kInt8Precision)
      fail(
          "%s: %s is int8, expected fp32: opt multiplies a batch_norm's factor into its scales once per input channel, which ruins them; "
          "quantise again without conv2d_transpose",
          graph.name.c_str(), node.label().c_str());
}

}  // namespace edgeocr::graph
