#include "graph/passes/check_operators.h"

#include "base/error.h"
#include "graph/operators.h"
#include "graph/precision.h"

namespace edgeocr::graph {

namespace {

void check_node(const Graph& graph, const Node& node) {
  const char* file = graph.name.c_str();
  const Operator* op = find_operator(node.op);
  if (op == nullptr) fail("%s: operator %s is not supported (%s)", file, node.op.c_str(), node.label().c_str());
  if (node.op == "calib" && node.alias != "fp32_to_int8" && node.alias != "int8_to_fp32")
    fail("%s: %s: conversion %s is not supported, expected fp32_to_int8 or int8_to_fp32", file, node.label().c_str(), node.alias.c_str());
  if (node.precision == kInt8Precision && node.alias != "int8_out" && node.alias != "fp32_out" && node.alias != "fp32out" &&
      node.alias != "int8out" && node.alias != "def" && node.op != "calib")
    fail("%s: %s: int8 kernel %s is not supported", file, node.label().c_str(), node.alias.c_str());
  for (std::string_view parameter : op->required)
    if (node.input(parameter) == kNoValue)
      fail("%s: %s has no input %.*s", file, node.label().c_str(), static_cast<int>(parameter.size()), parameter.data());
  for (std::string_view parameter : op->constants)
    for (ValueId value : node.all_inputs(parameter))
      if (graph.constant(value) == nullptr)
        fail("%s: %s: %.*s is computed, expected a parameter of the file", file, node.label().c_str(), static_cast<int>(parameter.size()),
             parameter.data());
}

}  // namespace

void check_operators(Graph& graph) {
  for (const Node& node : graph.nodes) check_node(graph, node);
}

}  // namespace edgeocr::graph
