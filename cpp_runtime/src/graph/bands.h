// Groups of steps that work in bands: some rows of every map of the group at a time, so that what one step writes is still in the cache
// when the next one reads it.
//
// Inside a group a map that nobody else reads is kept as a few rows only: at the beginning of a band the rows that are needed no more are
// dropped, and the rest moves to the top of its memory. Nothing is computed twice. The rows that a step computes in a band follow from
// those that its readers need (row_reach.h); the last step of the group sets the pace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"

namespace edgeocr::graph {

// What the choice of groups has to know of a step.
struct BandStep {
  const Node* node = nullptr;
  bool by_rows = false;   // its kernel can compute some rows alone …
  int64_t row_grain = 1;  // … from multiples of this on
};

// A map of which a group holds `rows` rows.
struct BandTensor {
  ValueId value = kNoValue;
  int64_t rows = 0;
};

struct Band {
  std::vector<RowRange> steps;      // per step of the group, what it computes
  std::vector<int64_t> first_rows;  // per BandTensor, the first row that is still needed
};

struct BandGroup {
  int first = 0, end = 0;  // steps
  std::vector<BandTensor> tensors;
  std::vector<Band> bands;
  size_t working_set = 0;  // bytes that a band touches
};

// Steps first … end - 1 as a group of which every band computes `rows` rows of the last step's output. bands is empty where a step does
// not work by rows or the group has a map that is no batch of one.
BandGroup make_band_group(const Graph& graph, std::span<const BandStep> steps, std::span<const Inferred> values, int first, int end,
                          int64_t rows);

// The groups that keep most bytes from memory, in order; steps outside of them run whole.
std::vector<BandGroup> choose_band_groups(const Graph& graph, std::span<const BandStep> steps, std::span<const Inferred> values);

}  // namespace edgeocr::graph
