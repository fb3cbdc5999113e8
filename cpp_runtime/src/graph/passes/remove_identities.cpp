#include "graph/passes/remove_identities.h"

#include "graph/passes/bypass.h"

namespace edgeocr::graph {

namespace {

bool is_identity_scale(const Node& node) {
  return node.op == "scale" && node.attr_float("scale", 1) == 1 && node.attr_float("bias", 0) == 0 &&
         node.input("ScaleTensor") == kNoValue && node.attr_string("activation_type").empty();
}

void dropout_to_scale(Node& node) {
  float kept = 1 - node.attr_float("dropout_prob", 0.5f);
  if (node.attr_string("dropout_implementation", "downgrade_in_infer") == "upscale_in_train") kept = 1;
  node.op = "scale";
  node.attrs["scale"] = kept;
  node.attrs["bias"] = 0.0f;
}

}  // namespace

void remove_identities(Graph& graph) {
  bypass_nodes(graph, [](Node& node) {
    if (node.op == "io_copy" || node.op == "io_copy_once") return node.input("Input");
    if (node.op == "dropout") dropout_to_scale(node);
    return is_identity_scale(node) ? node.input("X") : kNoValue;
  });
}

}  // namespace edgeocr::graph
