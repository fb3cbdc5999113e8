#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Ends a net whose first output is scores N x steps x classes with greedy CTC decoding's first half, the node "greedy_ctc": instead of
// that output the graph returns two, N x steps each, Out 0 and 1 of the node:
//   the class of the largest score, the first of equals (int32), and
//   that score where decoding keeps the step: where the class is not 0, the blank, and not the class of the step before; else 0 (fp32).
// A softmax over the classes becomes part of the node (its attribute "softmax"): its sum is needed for kept steps only, and the scores
// need not be stored. Other graphs stay as they are.
void end_in_greedy_ctc(Graph& graph);

// The scores that the graph's greedy_ctc node reads, before the softmax that it took in; kNoValue where there is none.
ValueId greedy_ctc_scores(const Graph& graph);

}  // namespace edgeocr::graph
