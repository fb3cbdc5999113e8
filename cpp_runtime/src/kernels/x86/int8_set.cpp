// x86 as the kernel set of the int8 kernels: the levels with dot products of bytes.
#include "kernels/int8/kernel_set.h"
#include "kernels/x86/finish_f32.h"
#include "kernels/x86/inner_loops.h"
#include "kernels/x86/tile_widths.h"

namespace edgeocr::kernels::int8 {

const InnerLoops* usable_loops() { return x86::usable_inner_loops().empty() ? nullptr : x86::current_inner_loops().int8_loops; }

int64_t tile_columns(int64_t left) { return x86::width_of_tile(x86::current_inner_loops().gemm_i8_lanes, left); }

// Sums begin at what inputs with turned top bits (inner_gemm_i8.cpp) add too much.
Ending choose_ending(const Form& form, const Sums& sums, std::span<const Rule>) {
  Ending ending{.form = form};
  for (const int64_t weights : sums.weights) ending.start.push_back(static_cast<int32_t>(-128 * weights));
  return ending;
}

namespace {

class X86Finish : public FinishColumns {
 public:
  X86Finish(int64_t columns, const Activation& act, const TailParameters& tail)
      : finish_(std::vector<float>(static_cast<size_t>(columns)), act, tail) {}

  void run(float* y, float* other, int64_t row, int64_t column, int64_t columns, std::span<const TensorView> inputs,
           std::span<const TensorView> outputs) const override {
    finish_.run_columns(y, other, row, column, columns, inputs, outputs);
  }

 private:
  x86::FinishF32 finish_;
};

}  // namespace

std::unique_ptr<FinishColumns> finish_columns(int64_t columns, const Activation& act, const TailParameters& tail) {
  return std::make_unique<X86Finish>(columns, act, tail);
}

}  // namespace edgeocr::kernels::int8
