#include "kernels/generic/epilogue.h"

#include <cstring>
#include <utility>

#include "kernels/generic/parameters.h"

namespace edgeocr::kernels::generic {

Epilogue::Epilogue(bool int8_in, DataType output, std::vector<float> scale, std::vector<float> bias, const Activation& act)
    : int8_in_(int8_in), output_(output), scale_(std::move(scale)), bias_(std::move(bias)), act_(act) {
  const auto padded = static_cast<size_t>(padded_columns(static_cast<int64_t>(bias_.size())));
  scale_.resize(padded, 0.0f);
  bias_.resize(padded, 0.0f);
}

Epilogue Epilogue::fp32(std::vector<float> bias, const Activation& act) { return {false, DataType::f32, {}, std::move(bias), act}; }

Epilogue Epilogue::int8(Requantisation r) { return {true, r.output, std::move(r.scale), std::move(r.bias), r.act}; }

Epilogue Epilogue::sums(int64_t channels) { return {true, DataType::i32, {}, std::vector<float>(static_cast<size_t>(channels)), {}}; }

void Epilogue::apply(const Loops& loops, const void* sums, int64_t first, int64_t n, void* out) const {
  const float *scale = scale_.data() + first, *bias = bias_.data() + first;
  if (!int8_in_) {
    loops.finish_f32(static_cast<const float*>(sums), bias, act_, n, static_cast<float*>(out));
  } else if (output_ == DataType::i32) {
    std::memcpy(out, sums, static_cast<size_t>(n) * sizeof(int32_t));
  } else if (output_ == DataType::i8) {
    loops.requantise_i8(static_cast<const int32_t*>(sums), scale, bias, act_, n, static_cast<int8_t*>(out));
  } else {
    loops.requantise_f32(static_cast<const int32_t*>(sums), scale, bias, act_, n, static_cast<float*>(out));
  }
}

Epilogue conv_epilogue(const graph::Node& node, const graph::Graph& graph, const ConvParameters& parameters) {
  if (parameters.int8_in) return Epilogue::int8(conv_requantisation(node, graph, parameters));
  return Epilogue::fp32(bias_or_zeros(node, graph, parameters.geometry.out_channels), conv_activation(node));
}

}  // namespace edgeocr::kernels::generic
