// What the graph knows of every operator the engine runs: its tensors, and how shapes follow.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace edgeocr::graph {

class InferContext;

// Whether an operator's result is computed when a plan is made (shape arithmetic, fills) and so needs no kernel then.
enum class Evaluation : uint8_t {
  never,
  with_known_inputs,  // if the contents of all its inputs are known
  always,             // its result follows from shapes and attributes
};

struct Operator {
  std::string_view name;
  std::string_view output;                  // the one parameter whose arguments are results; all others are training leftovers
  std::vector<std::string_view> required;   // inputs it cannot run without
  std::vector<std::string_view> constants;  // inputs that must be parameters of the file, where present
  Evaluation evaluation;
  void (*infer)(InferContext& context);
};

// Null if unknown.
const Operator* find_operator(std::string_view name);

// Per node: whether its outputs are known at planning for whatever input shapes. Such nodes need no kernel.
std::vector<bool> evaluated_nodes(const Graph& graph);

}  // namespace edgeocr::graph
