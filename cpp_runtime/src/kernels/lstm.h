// rnn of mode LSTM around a kernel set's cells. Gates in the order input, forget, cell, output (NB_FORMAT §6).
//
// The input products of all steps are one matrix product per layer and direction. Directions run one after the other: both together
// would read more recurrent weights every step than the first-level cache holds.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/kernel.h"

namespace edgeocr::kernels {

struct LstmWeights {
  int64_t width, hidden;             // of inputs and outputs, multiples of four
  std::span<const float> input;      // [4 hidden, width]
  std::span<const float> recurrent;  // [4 hidden, hidden]
  std::vector<float> bias;           // of both products
};

// One layer in one direction, with weights packed once.
class LstmCell {
 public:
  virtual ~LstmCell() = default;
  // The input products with biases of rows of inputs: [rows][4][hidden].
  virtual void multiply_inputs(const float* in, int64_t rows, float* gates) const = 0;
  // Floats that a sequence keeps from step to step; the first `hidden` of them are the cell's values.
  virtual int64_t state_size() const = 0;
  // gates: of this step; h: of the step before.
  virtual void step(const float* gates, const float* h, float* state, float* h_out) const = 0;
};
using LstmCellFactory = std::unique_ptr<LstmCell>(const LstmWeights& weights);

// Whole vectors of inputs and units; the odd ones, and what the plain kernel refuses, are left to it.
bool accepts_lstm(const graph::Node& node, const graph::Graph& graph);
std::unique_ptr<Kernel> create_lstm(const graph::Node& node, const graph::Graph& graph, std::string_view name, LstmCellFactory make_cell);

}  // namespace edgeocr::kernels
