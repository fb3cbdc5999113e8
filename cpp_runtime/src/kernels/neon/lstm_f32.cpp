#include "kernels/neon/lstm_f32.h"

#include <algorithm>

#include "kernels/neon/math_f32.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int kGates = 4;

// Twelve units are twelve sums of four, which hide the latency of fmla and fit the registers; rests are eight or four.
int64_t block_units(int64_t left) { return left >= 12 && left != 16 ? 12 : std::min<int64_t>(left, 8); }

template <int Vectors, int Lane>
[[gnu::always_inline]] inline void multiply(float32x4_t (&sums)[kGates][Vectors], float32x4_t h, const float* weights) {
#pragma clang loop unroll(full)
  for (int gate = 0; gate < kGates; gate++)
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) {
      const float* w = weights + ((Lane * kGates + gate) * Vectors + v) * 4;
      sums[gate][v] = vfmaq_laneq_f32(sums[gate][v], vld1q_f32(w), h, Lane);
    }
}

template <int Vectors>
void run_block(const float* weights, int64_t hidden, int64_t first, const float* inputs, const float* h, float* cell, float* h_out) {
  float32x4_t sums[kGates][Vectors];
  for (auto& gate : sums)
    for (float32x4_t& sum : gate) sum = vdupq_n_f32(0);
  for (int64_t k = 0; k < hidden; k += 4, weights += 16 * kGates * Vectors) {
    const float32x4_t x = vld1q_f32(h + k);
    multiply<Vectors, 0>(sums, x, weights);
    multiply<Vectors, 1>(sums, x, weights);
    multiply<Vectors, 2>(sums, x, weights);
    multiply<Vectors, 3>(sums, x, weights);
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < Vectors; v++) {
    const int64_t at = first + 4 * v;
    const auto gate = [&](int g) __attribute__((always_inline)) { return vaddq_f32(sums[g][v], vld1q_f32(inputs + g * hidden + at)); };
    const float32x4_t kept = vmulq_f32(sigmoid(gate(1)), vld1q_f32(cell + at));
    const float32x4_t c = vaddq_f32(kept, vmulq_f32(sigmoid(gate(0)), tanh(gate(2))));
    vst1q_f32(cell + at, c);
    vst1q_f32(h_out + at, vmulq_f32(sigmoid(gate(3)), tanh(c)));
  }
}

}  // namespace

LstmStepF32::LstmStepF32(int64_t hidden, const Weight& weight) : hidden_(hidden) {
  weights_.reserve(static_cast<size_t>(kGates * hidden * hidden));
  for (int64_t first = 0; first < hidden; first += blocks_.back().units) {
    const int64_t units = block_units(hidden - first);
    blocks_.push_back({first, units, weights_.size()});
    for (int64_t h = 0; h < hidden; h++)
      for (int64_t gate = 0; gate < kGates; gate++)
        for (int64_t unit = first; unit < first + units; unit++) weights_.push_back(weight(gate, unit, h));
  }
}

void LstmStepF32::run(const float* inputs, const float* h, float* cell, float* h_out) const {
  for (const Block& block : blocks_) {
    const float* weights = weights_.data() + block.weights;
    switch (block.units) {
      case 12: run_block<3>(weights, hidden_, block.first, inputs, h, cell, h_out); break;
      case 8: run_block<2>(weights, hidden_, block.first, inputs, h, cell, h_out); break;
      default: run_block<1>(weights, hidden_, block.first, inputs, h, cell, h_out); break;
    }
  }
}

}  // namespace edgeocr::kernels::neon
