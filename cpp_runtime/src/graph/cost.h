// What a node costs in numbers that do not depend on the machine.
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph.h"

namespace edgeocr::graph {

// Multiply-accumulates of convolutions, matrix products and rnn; 0 for everything else.
int64_t macs_of(const Node& node, std::span<const Inferred> values);

// Bytes read and written: inputs, parameters and outputs once each, without padding.
int64_t bytes_of(const Node& node, std::span<const Inferred> values);

}  // namespace edgeocr::graph
