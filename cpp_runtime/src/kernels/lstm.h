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
  int64_t width, hidden;             // of inputs and outputs, multiples of a vector
  std::span<const float> input;      // [4 hidden, width]
  std::span<const float> recurrent;  // [4 hidden, hidden]
  std::vector<float> bias;           // of both products
};

// One layer in one direction, with weights packed once. T: of inputs, gates and h.
template <class T> class LstmCell {
 public:
  virtual ~LstmCell() = default;
  // The input products with biases of rows of inputs: [rows][4][hidden].
  virtual void multiply_inputs(const T* in, int64_t rows, T* gates) const = 0;
  // Floats that a sequence keeps from step to step; the first `hidden` of them are the cell's values.
  virtual int64_t state_size() const = 0;
  // gates: of this step; h: of the step before.
  virtual void step(const T* gates, const T* h, float* state, T* h_out) const = 0;
};
template <class T> using LstmCellFactory = std::unique_ptr<LstmCell<T>>(const LstmWeights& weights);

// Whole vectors of `lanes` inputs and units; the odd ones, and what the plain kernel refuses, are left to it.
bool accepts_lstm(const graph::Node& node, const graph::Graph& graph, int64_t lanes);
// T: float, or Half where there is one (kernels/simd/vector.h); then Input and PreState are fp16, Out is that or fp32, as the tail says.
template <class T>
std::unique_ptr<Kernel> create_lstm(const graph::Node& node, const graph::Graph& graph, std::string_view name,
                                    LstmCellFactory<T> make_cell);

}  // namespace edgeocr::kernels
