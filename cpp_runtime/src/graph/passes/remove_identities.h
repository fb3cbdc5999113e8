#pragma once

#include "graph/graph.h"

namespace edgeocr::graph {

// Removes what changes nothing at inference: io_copy (all memory is the CPU's), dropout that upscaled in training, scale by 1
// plus 0 (opt puts one before the fetch of a quantised model). A dropout that downgrades at inference becomes the scale it is.
void remove_identities(Graph& graph);

}  // namespace edgeocr::graph
