// The NEON kernel set. An entry takes a node only if everything its kernel relies on holds; generic takes the rest.
#include "kernels/neon/neon.h"

#include <vector>

namespace edgeocr::kernels {

std::span<const KernelEntry> neon_set() {
  static const std::vector<KernelEntry> entries = {};
  return entries;
}

}  // namespace edgeocr::kernels
