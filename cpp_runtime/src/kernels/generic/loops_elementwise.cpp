// Element-wise functions, softmax, the LSTM cell.
#include "kernels/generic/loops_isa.h"
#include "kernels/generic/simd.h"
#include "kernels/math.h"

namespace edgeocr::kernels::generic {
inline namespace EDGEOCR_ISA {

namespace {

template <class F> inline void map(const float* __restrict in, int64_t n, float* __restrict out, const F& f) {
  for (int64_t i = 0; i < n; i++) out[i] = f(in[i]);
}

// Steps as compile-time constants where they are the usual ones, so that the loop vectorises.
template <class F>
inline void zip(const float* __restrict x, ptrdiff_t x_step, const float* __restrict y, ptrdiff_t y_step, int64_t n, float* __restrict out,
                const F& f) {
  if (x_step == 1 && y_step == 1) {
    for (int64_t i = 0; i < n; i++) out[i] = f(x[i], y[i]);
  } else if (x_step == 1 && y_step == 0) {
    const float value = *y;
    for (int64_t i = 0; i < n; i++) out[i] = f(x[i], value);
  } else {
    for (int64_t i = 0; i < n; i++) out[i] = f(x[i * x_step], y[i * y_step]);
  }
}

inline float larger(float a, float b) { return a > b ? a : b; }

void activate_all(const Activation& act, int64_t n, float* data) {
  const Activation a = act;
  switch (a.kind) {
    case ActKind::none: return;
    case ActKind::relu:
      for (int64_t i = 0; i < n; i++) data[i] = activate(data[i], ActKind::relu, a);
      return;
    case ActKind::relu6:
      for (int64_t i = 0; i < n; i++) data[i] = activate(data[i], ActKind::relu6, a);
      return;
    case ActKind::leaky_relu:
      for (int64_t i = 0; i < n; i++) data[i] = activate(data[i], ActKind::leaky_relu, a);
      return;
    case ActKind::hard_swish:
      for (int64_t i = 0; i < n; i++) data[i] = activate(data[i], ActKind::hard_swish, a);
      return;
  }
}

}  // namespace

void unary(UnaryOp op, const UnaryParameters& parameters, const float* in, int64_t n, float* out) {
  const UnaryParameters p = parameters;
  switch (op) {
    case UnaryOp::relu: return map(in, n, out, [&](float v) { return activate(v, ActKind::relu, p.act); });
    case UnaryOp::relu6: return map(in, n, out, [&](float v) { return activate(v, ActKind::relu6, p.act); });
    case UnaryOp::leaky_relu: return map(in, n, out, [&](float v) { return activate(v, ActKind::leaky_relu, p.act); });
    case UnaryOp::hard_swish: return map(in, n, out, [&](float v) { return activate(v, ActKind::hard_swish, p.act); });
    case UnaryOp::hard_sigmoid: return map(in, n, out, [&](float v) { return clip(v * p.slope + p.offset, 0.0f, 1.0f); });
    case UnaryOp::sigmoid: return map(in, n, out, [](float v) { return sigmoid_f32(v); });
    case UnaryOp::tanh: return map(in, n, out, [](float v) { return tanh_f32(v); });
    case UnaryOp::swish: return map(in, n, out, [&](float v) { return v * sigmoid_f32(v * p.beta); });
  }
}

void binary(BinaryOp op, const Activation& act, const float* x, ptrdiff_t x_step, const float* y, ptrdiff_t y_step, int64_t n, float* out) {
  switch (op) {
    case BinaryOp::add: zip(x, x_step, y, y_step, n, out, [](float a, float b) { return a + b; }); break;
    case BinaryOp::sub: zip(x, x_step, y, y_step, n, out, [](float a, float b) { return a - b; }); break;
    case BinaryOp::mul: zip(x, x_step, y, y_step, n, out, [](float a, float b) { return a * b; }); break;
    case BinaryOp::div: zip(x, x_step, y, y_step, n, out, [](float a, float b) { return a / b; }); break;
  }
  activate_all(act, n, out);
}

void affine(const float* in, float before, float scale, float after, const Activation& act, int64_t n, float* out) {
  map(in, n, out, [&](float v) { return (v + before) * scale + after; });
  activate_all(act, n, out);
}

void affine_channels(const float* __restrict in, const float* __restrict scale, const float* __restrict bias, int64_t n,
                     float* __restrict out) {
  for (int64_t i = 0; i < n; i++) out[i] = in[i] * scale[i] + bias[i];
}

void accumulate(const float* __restrict in, int64_t n, float* __restrict acc) {
  for (int64_t i = 0; i < n; i++) acc[i] += in[i];
}

void maximum(const float* __restrict in, int64_t n, float* __restrict acc) {
  for (int64_t i = 0; i < n; i++) acc[i] = larger(in[i], acc[i]);
}

void multiply(float factor, int64_t n, float* data) {
  for (int64_t i = 0; i < n; i++) data[i] *= factor;
}

// Maximum and sum have eight partial results, element i in the (i mod 8)th, on every level.
void softmax(const float* __restrict in, int64_t n, float* __restrict out) {
  float lanes[8];
  f32x8 partial = in[0];
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const f32x8 v = load<f32x8>(in + i);
    partial = v > partial ? v : partial;
  }
  store(lanes, partial);
  float highest = lanes[0];
  for (int lane = 1; lane < 8; lane++) highest = larger(lanes[lane], highest);
  for (; i < n; i++) highest = larger(in[i], highest);

  for (i = 0; i < n; i++) out[i] = exp_f32(in[i] - highest);
  partial = 0.0f;
  for (i = 0; i + 8 <= n; i += 8) partial += load<f32x8>(out + i);
  store(lanes, partial);
  for (int lane = 0; i < n; i++, lane++) lanes[lane] += out[i];
  const float sum = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
  for (i = 0; i < n; i++) out[i] = out[i] / sum;
}

void lstm_cell(const float* __restrict gates, int64_t hidden, float* __restrict cell, float* __restrict h) {
  const float *input = gates, *forget = gates + hidden, *candidate = gates + 2 * hidden, *output = gates + 3 * hidden;
  for (int64_t i = 0; i < hidden; i++) {
    const float c = sigmoid_f32(forget[i]) * cell[i] + sigmoid_f32(input[i]) * tanh_f32(candidate[i]);
    cell[i] = c;
    h[i] = sigmoid_f32(output[i]) * tanh_f32(c);
  }
}

}  // namespace EDGEOCR_ISA
}  // namespace edgeocr::kernels::generic
