#include "graph/passes/remove_fp16_markers.h"

#include "graph/passes/bypass.h"
#include "graph/precision.h"

namespace edgeocr::graph {

void remove_fp16_markers(Graph& graph) {
  bypass_nodes(graph, [](Node& node) {
    if (node.precision == kFp16Precision) node.precision = kFp32Precision;
    bool calib = node.op == "calib" || node.op == "calib_once";
    bool fp16 = node.alias == "fp32_to_fp16" || node.alias == "fp16_to_fp32";
    return calib && fp16 ? node.input("Input") : kNoValue;
  });
}

}  // namespace edgeocr::graph
