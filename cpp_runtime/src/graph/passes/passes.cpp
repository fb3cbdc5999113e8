#include "graph/passes/passes.h"

#include "graph/passes/check_operators.h"
#include "graph/passes/dequantize_weights.h"
#include "graph/passes/fold_constant_reshapes.h"
#include "graph/passes/reject_int8_deconv.h"
#include "graph/passes/remove_dead.h"
#include "graph/passes/remove_fp16_markers.h"
#include "graph/passes/remove_identities.h"

namespace edgeocr::graph {

std::span<const Pass> passes() {
  static constexpr Pass kPasses[] = {
      {"reject_int8_deconv", reject_int8_deconv},
      {"remove_fp16_markers", remove_fp16_markers},
      {"remove_identities", remove_identities},
      {"dequantize_weights", dequantize_weights},
      {"fold_constant_reshapes", fold_constant_reshapes},
      {"remove_dead", remove_dead},
      {"check_operators", check_operators},
  };
  return kPasses;
}

}  // namespace edgeocr::graph
