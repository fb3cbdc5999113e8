// A network ready to run: `.nb` → graph → kernels; plans per input shape.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "edgeocr/mode.h"

namespace edgeocr {

struct TensorView;
class Shape;
class ThreadPool;
namespace graph { struct Graph; }

struct SessionOptions {
  int threads = 1;
  Precision precision = Precision::as_stored;
  Int8 int8 = Int8::exact;
  bool fast_fp16 = true;  // false: where int8 is not exact, the net's fp32 part stays fp32 all the same
  // Large fp32 products with constant matrices compute in int8, every row by its own scale (graph/passes/quantise_fc.h): quicker, close to
  // fp32. A net without any is refused.
  bool dynamic_int8 = false;
  bool generic_only = false;  // plain kernels only: the truth to compare with
  // Of a recogniser give what greedy CTC decoding reads instead of the first output (graph/passes/greedy_ctc.h): quicker.
  bool greedy_ctc = false;
  std::optional<bool> fuse;      // join operators (graph/passes); unset: unless generic_only
  std::optional<bool> in_bands;  // let groups of operators work in bands of rows (graph/bands.h); unset: with one
                                 // thread and unless generic_only; several threads wait for each other in every band
  int64_t max_input_elements = int64_t{3} * 4096 * 4096;  // larger inputs are refused
  int plan_cache = 16;                                    // plans (input shapes) kept, least recently used go first
};

struct NodeProfile {
  std::string op, kernel, output_shape;
  double ms = 0;
  int64_t macs = 0, bytes = 0;
  int64_t band_rows = 0;  // most rows of its output that are computed at once; 0: all
};

class Session {
 public:
  static Session load(const std::string& path, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Prepares the plan of these input shapes (cached) and gives the first input's memory to fill: fp32, engine layout
  // (base/tensor.h), padding lanes zero. Valid until the next prepare(); run() leaves it as it is, so that a network can be
  // run again and again on one input.
  TensorView prepare(std::span<const Shape> input_shapes);
  // Runs the prepared plan; outputs are valid until the next prepare() or run().
  void run();
  TensorView input(int index = 0) const;
  TensorView output(int index = 0) const;

  const graph::Graph& graph() const;
  // Shape of the first input as the file states it, -1 = dynamic.
  const Shape& feed_shape() const;
  // The prepared plan's nodes in order, ms = 0.
  std::vector<NodeProfile> nodes() const;
  // Times every node of the prepared plan once (one run).
  std::vector<NodeProfile> profile();
  // Bytes of the prepared plan's arena, and of all constants of the graph.
  size_t arena_bytes() const;
  size_t weight_bytes() const;
  // Multiply-accumulates of one run of the prepared plan: convolutions, matrix products, rnn.
  int64_t macs() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgeocr
