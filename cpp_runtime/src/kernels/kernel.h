// What a kernel is, and how one is chosen.
//
// A kernel object is made once per node and session: it reads its parameters, packs its weights and is then shared by all the
// plans (input shapes) of the session. It holds nothing that depends on the input's shape.
// A kernel set (generic, neon, x86) is a table of entries; the session asks the sets from fast to plain and takes
// the first entry that accepts the node. `generic` accepts everything the engine supports and is the truth the others are
// tested against.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/tensor.h"
#include "base/thread_pool.h"
#include "graph/graph.h"

namespace edgeocr::kernels {

struct RunContext {
  ThreadPool& pool;
  std::byte* scratch;  // 64-byte aligned, scratch_bytes() long
  // Rows of the outputs that a kernel which works by_rows() computes; all, if there is no range. Of its inputs only those rows are in
  // memory that these outputs need (graph/row_reach.h), at the addresses that the views give them.
  std::optional<RowRange> rows = std::nullopt;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual std::string_view name() const = 0;  // for `--plan`: "generic.conv2d.int8"
  // Scratch memory a run needs for these views (data pointers may be null here) with `threads` threads.
  virtual size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int threads) const {
    (void)inputs, (void)outputs, (void)threads;
    return 0;
  }
  // Whether a run may be asked for some rows of its outputs alone, one map each of one height and a batch of one. The row at which a
  // range begins is then a multiple of row_grain(), as is the one at which it ends, unless that is the last.
  virtual bool by_rows() const { return false; }
  virtual int64_t row_grain() const { return 1; }
  // inputs / outputs: one view per Node::inputs / Node::outputs, in that order (constants too, in the file's layout, dense
  // row-major whatever their rank; the kernel has usually packed them). An absent output has data == nullptr.
  // Must not allocate. Inputs and outputs do not overlap.
  virtual void run(const RunContext& context, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const = 0;
};

struct KernelEntry {
  std::string_view op;
  // Null: accepts every node of that op.
  bool (*accepts)(const graph::Node& node, const graph::Graph& graph);
  std::unique_ptr<Kernel> (*create)(const graph::Node& node, const graph::Graph& graph);
};

// Kernel sets usable on this processor, fastest first; generic is last. Decided once, by hwcaps / cpuid.
std::span<const std::span<const KernelEntry>> kernel_sets();
// Whether this processor has a kernel for the node, whose precision, or that of a result, is fp16.
bool has_fp16_kernel(const graph::Node& node, const graph::Graph& graph);
// Whether it computes in fp16 at all.
bool has_fp16();
// The plain set only.
std::span<const KernelEntry> generic_set();

// First match in `sets`; fails with "<graph>: operator <op> …" if none accepts.
std::unique_ptr<Kernel> create_kernel(const graph::Node& node, const graph::Graph& graph,
                                      std::span<const std::span<const KernelEntry>> sets);

}  // namespace edgeocr::kernels
