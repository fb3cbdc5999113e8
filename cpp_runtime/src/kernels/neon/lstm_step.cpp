#include "kernels/neon/lstm_step.h"

#include <algorithm>

#include "kernels/neon/convert.h"
#include "kernels/neon/fast_math.h"
#include "kernels/neon/math_f32.h"

namespace edgeocr::kernels::neon {

namespace {

constexpr int kGates = 4;

// Three vectors of units are twelve sums, which hide the latency of fmla and fit the registers; rests are two vectors or one.
template <class T> int64_t block_units(int64_t left) {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  return left >= 3 * kLanes && left != 4 * kLanes ? 3 * kLanes : std::min(left, 2 * kLanes);
}

template <class T, int Vectors> using Sums = typename Vec<T>::Register[kGates][Vectors];

// Fresh: the products are where the sums begin.
template <class T, int Vectors, int Lane, bool Fresh = false>
[[gnu::always_inline]] inline void multiply(Sums<T, Vectors>& sums, typename Vec<T>::Values h, const T* weights) {
  using V = Vec<T>;
#pragma clang loop unroll(full)
  for (int gate = 0; gate < kGates; gate++)
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) {
      const auto w = V::load(weights + ((Lane * kGates + gate) * Vectors + v) * V::kLanes);
      if constexpr (Fresh) sums[gate][v] = V::template multiply<Lane>(w, h);
      else sums[gate][v] = V::template fma<Lane>(sums[gate][v], w, h);
    }
}

// A vector of h.
template <int Vectors> [[gnu::always_inline]] inline void multiply_vector(Sums<float, Vectors>& sums, float32x4_t h, const float* weights) {
  multiply<float, Vectors, 0>(sums, h, weights);
  multiply<float, Vectors, 1>(sums, h, weights);
  multiply<float, Vectors, 2>(sums, h, weights);
  multiply<float, Vectors, 3>(sums, h, weights);
}

template <int Vectors> [[gnu::always_inline]] inline void multiply_vector(Sums<Half, Vectors>& sums, float16x8_t h, const Half* weights) {
  Sums<Half, Vectors> part;
  multiply<Half, Vectors, 0, true>(part, h, weights);
  multiply<Half, Vectors, 1>(part, h, weights);
  multiply<Half, Vectors, 2>(part, h, weights);
  multiply<Half, Vectors, 3>(part, h, weights);
  multiply<Half, Vectors, 4>(part, h, weights);
  multiply<Half, Vectors, 5>(part, h, weights);
  multiply<Half, Vectors, 6>(part, h, weights);
  multiply<Half, Vectors, 7>(part, h, weights);
#pragma clang loop unroll(full)
  for (int gate = 0; gate < kGates; gate++)
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) sums[gate][v] = sums[gate][v] + part[gate][v];
}

// Gates (input, forget, cell, output) and cell of a vector of units; returns h.
[[gnu::always_inline]] inline float32x4_t update(const float32x4_t (&gates)[kGates], float* cell) {
  const float32x4_t kept = vmulq_f32(sigmoid(gates[1]), vld1q_f32(cell));
  const float32x4_t c = vaddq_f32(kept, vmulq_f32(sigmoid(gates[0]), tanh(gates[2])));
  vst1q_f32(cell, c);
  return vmulq_f32(sigmoid(gates[3]), tanh(c));
}

[[gnu::always_inline]] inline float32x4_t fast_update(const float32x4_t (&gates)[kGates], float* cell) {
  const float32x4_t entering = fast_sigmoid(gates[0]) * fast_tanh(gates[2]);
  const float32x4_t c = vfmaq_f32(entering, fast_sigmoid(gates[1]), vld1q_f32(cell));
  vst1q_f32(cell, c);
  return fast_sigmoid(gates[3]) * fast_tanh(c);
}

template <int Vectors> [[gnu::always_inline]] inline void begin(Sums<float, Vectors>& sums, const float*, int64_t) {
  for (auto& gate : sums)
    for (float32x4_t& sum : gate) sum = vdupq_n_f32(0);
}

template <int Vectors> [[gnu::always_inline]] inline void begin(Sums<Half, Vectors>& sums, const Half* inputs, int64_t hidden) {
#pragma clang loop unroll(full)
  for (int gate = 0; gate < kGates; gate++)
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; v++) sums[gate][v] = vld1q_f16(inputs + gate * hidden + 8 * v);
}

template <int Vectors>
[[gnu::always_inline]] inline void finish(const Sums<float, Vectors>& sums, const float* inputs, int64_t hidden, float* cell, float* h) {
#pragma clang loop unroll(full)
  for (int v = 0; v < Vectors; v++) {
    float32x4_t gates[kGates];
    for (int g = 0; g < kGates; g++) gates[g] = vaddq_f32(sums[g][v], vld1q_f32(inputs + g * hidden + 4 * v));
    vst1q_f32(h + 4 * v, update(gates, cell + 4 * v));
  }
}

template <int Vectors>
[[gnu::always_inline]] inline void finish(const Sums<Half, Vectors>& sums, const Half*, int64_t, float* cell, Half* h) {
#pragma clang loop unroll(full)
  for (int v = 0; v < Vectors; v++) {
    float32x4_t low[kGates], high[kGates];
    for (int g = 0; g < kGates; g++) {
      low[g] = vcvt_f32_f16(vget_low_f16(sums[g][v]));
      high[g] = vcvt_high_f32_f16(sums[g][v]);
    }
    const float32x4_t h_low = fast_update(low, cell + 8 * v), h_high = fast_update(high, cell + 8 * v + 4);
    vst1q_f16(h + 8 * v, narrowed(h_low, h_high));
  }
}

// inputs, cell, h_out: at the block's first unit.
template <class T, int Vectors> void run_block(const T* weights, int64_t hidden, const T* inputs, const T* h, float* cell, T* h_out) {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  Sums<T, Vectors> sums;
  begin<Vectors>(sums, inputs, hidden);
  for (int64_t k = 0; k < hidden; k += kLanes, weights += kLanes * kLanes * kGates * Vectors)
    multiply_vector<Vectors>(sums, Vec<T>::load_values(h + k), weights);
  finish<Vectors>(sums, inputs, hidden, cell, h_out);
}

}  // namespace

template <class T> LstmStep<T>::LstmStep(int64_t hidden, const Weight& weight) : hidden_(hidden) {
  weights_.reserve(static_cast<size_t>(kGates * hidden * hidden));
  for (int64_t first = 0; first < hidden; first += blocks_.back().units) {
    const int64_t units = block_units<T>(hidden - first);
    blocks_.push_back({first, units, weights_.size()});
    for (int64_t h = 0; h < hidden; h++)
      for (int64_t gate = 0; gate < kGates; gate++)
        for (int64_t unit = first; unit < first + units; unit++) weights_.push_back(static_cast<T>(weight(gate, unit, h)));
  }
}

template <class T> void LstmStep<T>::run(const T* inputs, const T* h, float* cell, T* h_out) const {
  for (const Block& block : blocks_) {
    const T *weights = weights_.data() + block.weights, *gates = inputs + block.first;
    switch (block.units / Vec<T>::kLanes) {
      case 3: run_block<T, 3>(weights, hidden_, gates, h, cell + block.first, h_out + block.first); break;
      case 2: run_block<T, 2>(weights, hidden_, gates, h, cell + block.first, h_out + block.first); break;
      default: run_block<T, 1>(weights, hidden_, gates, h, cell + block.first, h_out + block.first); break;
    }
  }
}

template class LstmStep<float>;
template class LstmStep<Half>;

}  // namespace edgeocr::kernels::neon
