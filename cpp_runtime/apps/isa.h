// The processor as the records name it.
#pragma once

#include <string>
#include <vector>

namespace edgeocr {

// "aarch64" or "x86_64".
const char* architecture();
// Instruction sets that matter to kernels and that processor and kernel offer, by Linux's names: "asimddp", "avx2", …
std::vector<std::string> isa_features();

}  // namespace edgeocr
