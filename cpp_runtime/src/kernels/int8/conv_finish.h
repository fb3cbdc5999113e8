// How the int8 convolutions end: scales, activation and tail of a node as a form (inner_loops.h) and its constants.
//
// A kernel stores one result per element, int8, fp32 or fp16, or an int8 one besides fp32. Where a tail has several outputs the first is
// fp32 (rows of scratch memory if there is none), unless two are int8 of a residual, and other int8 outputs are made of it row by row.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"
#include "kernels/generic/conv_parameters.h"
#include "kernels/int8/ending.h"
#include "kernels/tail.h"

namespace edgeocr::kernels::int8 {

class ConvFinish {
 public:
  static constexpr size_t kMaxOutputs = 4;

  // What a kernel can do besides.
  struct Abilities {
    bool residual = false, fp16 = false;  // add one; give fp16
  };
  // Whether there are int8 kernels and a node of precision int8 ends in a way that there is a form for.
  static bool accepts(const graph::Node& node, const graph::Graph& graph, const generic::ConvParameters& parameters,
                      const Abilities& abilities);
  // seconds: whether the kernel can store second results.
  ConvFinish(const graph::Node& node, const graph::Graph& graph, const generic::ConvParameters& parameters, bool seconds);

  const Form& form() const { return form_; }
  FinishConstants constants() const;
  std::vector<Rule> rules() const;                 // of all lanes
  int residual() const { return tail_.residual; }  // position among the inputs, or -1
  int residual_shift() const { return residual_shift_; }

  // One row of outputs, of `lanes` channels per pixel.
  struct Row {
    std::byte* data = nullptr;
    ptrdiff_t step = 0;  // bytes from pixel to pixel
    int8_t* second = nullptr;
    ptrdiff_t second_step = 0;
  };
  // Scratch memory of a worker for as many rows of `out`.
  size_t scratch_bytes(const TensorView& out, int64_t rows = 1) const;
  // Where the kernel stores row `line`, counted over the batch.
  Row row(std::span<const TensorView> outputs, int64_t line, std::byte* scratch) const;
  // Makes the other outputs of rows that are complete.
  void complete(const Row& row, std::span<const TensorView> outputs, int64_t line, int64_t rows = 1) const;

  // Fails unless the outputs have the dtypes and channels of the node's.
  void check(std::string_view op, std::span<const TensorView> outputs, int64_t channels) const;

 private:
  struct Extra {
    size_t output;
    float inverse_scale;
    bool bounded;  // as in Store::bounded_calib
  };

  // Of several outputs.
  void share_out(double bound, bool seconds);

  const InnerLoops& loops_;
  TailParameters tail_;
  Form form_;
  Activation act_;
  FinishConstants constants_;
  std::vector<float> scale_, bias_;
  int residual_shift_ = 0;
  int direct_ = 0;   // the output that the kernel stores, -1: a row of scratch memory
  int second_ = -1;  // the output of the second results
  std::vector<Extra> extras_;
  std::vector<DataType> dtypes_;
};

}  // namespace edgeocr::kernels::int8
