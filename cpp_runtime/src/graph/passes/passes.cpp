#include "graph/passes/passes.h"

#include "graph/passes/check_operators.h"
#include "graph/passes/compose_int8_fpn.h"
#include "graph/passes/dequantize_weights.h"
#include "graph/passes/factor_fpn.h"
#include "graph/passes/fold_batch_norm.h"
#include "graph/passes/fold_constant_reshapes.h"
#include "graph/passes/fuse_activation.h"
#include "graph/passes/fuse_bias.h"
#include "graph/passes/fuse_calib.h"
#include "graph/passes/fuse_gate.h"
#include "graph/passes/fuse_residual.h"
#include "graph/passes/fuse_transposed_head.h"
#include "graph/passes/mark_fast_int8.h"
#include "graph/passes/raise_calib.h"
#include "graph/passes/reject_int8_deconv.h"
#include "graph/passes/remove_dead.h"
#include "graph/passes/remove_fp16_markers.h"
#include "graph/passes/remove_identities.h"
#include "graph/passes/split_upsampled_concat.h"

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

std::span<const Pass> fusion_passes() {
  static constexpr Pass kPasses[] = {
      {"fuse_bias", fuse_bias},
      {"fold_batch_norm", fold_batch_norm},
      {"factor_fpn", factor_fpn},
      {"compose_int8_fpn", compose_int8_fpn, Int8::composed},
      {"raise_calib", raise_calib},
      {"split_upsampled_concat", split_upsampled_concat},
      {"remove_unfused", remove_dead},  // what is left of the above still counts as a reader
      {"fuse_activation", fuse_activation},
      {"fuse_residual", fuse_residual},
      {"fuse_calib", fuse_calib},
      {"fuse_gate", fuse_gate},
      {"fuse_transposed_head", fuse_transposed_head},
      {"remove_absorbed", remove_dead},
      {"mark_fast_int8", mark_fast_int8, Int8::fast},
  };
  return kPasses;
}

}  // namespace edgeocr::graph
