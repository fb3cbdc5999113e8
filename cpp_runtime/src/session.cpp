#include "edgeocr/session.h"

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <exception>
#include <list>
#include <set>

#include "base/aligned.h"
#include "base/error.h"
#include "base/error_name.h"
#include "base/tensor.h"
#include "base/thread_pool.h"
#include "graph/fused_tail.h"
#include "graph/graph.h"
#include "graph/operators.h"
#include "graph/passes/fuse_narrowing.h"
#include "graph/passes/greedy_ctc.h"
#include "graph/passes/lower_to_fp16.h"
#include "graph/passes/quantise_fc.h"
#include "graph/passes/round_filters.h"
#include "graph/plan.h"
#include "graph/precision.h"
#include "kernels/kernel.h"
#include "nb/nb.h"

namespace edgeocr {

namespace {

void check_precision(const graph::Graph& graph, const SessionOptions& options) {
  const bool int8 = graph::has_int8(graph);
  const char* name = graph.name.c_str();
  if (options.precision == Precision::int8 && !int8) fail("%s: has no int8 operators, expected some for precision int8", name);
  if (options.precision == Precision::fp32 && int8) fail("%s: has int8 operators, expected none for precision fp32", name);
  const bool plain = options.generic_only && !options.fuse.value_or(false);
  if (options.int8 != Int8::exact && plain) fail("%s: the plain kernels have exact int8 only", name);
  if (options.dynamic_int8 && plain) fail("%s: the plain kernels have no dynamic int8", name);
  if (options.precision != Precision::fp16) return;
  if (int8) fail("%s: has int8 operators, expected none for precision fp16", name);
  if (options.generic_only) fail("%s: the plain kernels have no precision fp16", name);
  if (!kernels::has_fp16()) fail("%s: this processor has no fp16 arithmetic (armv8.2-a), which precision fp16 needs", name);
}

// Of the operators that int8 nets keep in fp32, those that are worth converting their inputs.
bool is_dear_in_fp32(const graph::Node& node) { return node.op == "conv2d_transpose_pair" || node.op == "rnn"; }

graph::Graph build_graph(const std::string& path, const SessionOptions& options) {
  graph::Graph graph = graph::build(nb::read_file(path), path);
  check_precision(graph, options);
  if (options.greedy_ctc) graph::end_in_greedy_ctc(graph);
  if (options.fuse.value_or(!options.generic_only)) graph::fuse(graph, options.int8);
  if (options.dynamic_int8 && graph::quantise_fc(graph) == 0)
    fail("%s: has no fp32 product with a constant matrix that is large enough for dynamic int8", path.c_str());
  const auto has_kernel = [&](const graph::Node& node) { return kernels::has_fp16_kernel(node, graph); };
  if (options.precision == Precision::fp16) {
    graph::lower_to_fp16(graph, has_kernel);
    graph::round_filters(graph);
  }
  if (options.int8 != Int8::exact && options.fast_fp16 && !options.generic_only && graph::has_int8(graph)) {
    graph::lower_to_fp16(graph, [&](const graph::Node& node) { return is_dear_in_fp32(node) && has_kernel(node); });
    graph::fuse_narrowing(graph, has_kernel);
  }
  return graph;
}

// Packing weights and proving int8 endings is most of a net's loading, and every kernel does it by itself: the workers take them in turn.
std::vector<std::unique_ptr<kernels::Kernel>> create_kernels(const graph::Graph& graph, bool generic_only, ThreadPool& pool) {
  const std::span<const kernels::KernelEntry> generic[] = {kernels::generic_set()};
  const auto sets = generic_only ? std::span<const std::span<const kernels::KernelEntry>>(generic) : kernels::kernel_sets();
  const std::vector<bool> evaluated = graph::evaluated_nodes(graph);
  std::vector<std::unique_ptr<kernels::Kernel>> made(graph.nodes.size());
  std::vector<std::exception_ptr> errors(made.size());
  std::atomic<size_t> next = 0;
  pool.parallel_for(pool.threads(), 1, [&](int64_t, int64_t, int) {
    for (size_t n = next++; n < made.size(); n = next++) {
      if (evaluated[n]) continue;
      try {
        made[n] = kernels::create_kernel(graph.nodes[n], graph, sets);
      } catch (...) {
        errors[n] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  return made;
}

// Memory that grows and is shared by all plans; its contents do not survive growing.
class GrowingMemory {
 public:
  std::byte* reserve(size_t bytes, const char* what) {
    if (bytes > size_ || memory_ == nullptr) {
      memory_.reset();
      size_ = 0;
      memory_ = allocate_aligned(bytes, what);
      size_ = bytes;
    }
    return memory_.get();
  }
  std::byte* data() const { return memory_.get(); }

 private:
  std::shared_ptr<std::byte> memory_;
  size_t size_ = 0;
};

}  // namespace

struct Session::Impl {
  graph::Graph graph;
  SessionOptions options;
  ThreadPool pool;
  std::vector<std::unique_ptr<kernels::Kernel>> kernels;  // per node, null where evaluated at planning
  std::vector<const kernels::Kernel*> kernel_pointers;
  std::list<graph::Plan> plans;  // most recently used first
  graph::Plan* prepared = nullptr;
  GrowingMemory arena, scratch;

  Impl(const std::string& path, const SessionOptions& given) : graph(build_graph(path, given)), options(given), pool(given.threads) {
    if (options.plan_cache < 1) fail("plan_cache is %d, expected at least 1", options.plan_cache);
    kernels = with_name(path, [&] { return create_kernels(graph, options.generic_only, pool); });
    for (const auto& kernel : kernels) kernel_pointers.push_back(kernel.get());
  }

  // Rank, and where the file fixes them batch and channels; sizes beyond are free, whatever the file says.
  void check_inputs(std::span<const Shape> shapes) const {
    const char* name = graph.name.c_str();
    if (shapes.size() != graph.inputs.size()) fail("%s: %zu inputs given, expected %zu", name, shapes.size(), graph.inputs.size());
    for (size_t i = 0; i < shapes.size(); i++) {
      const Shape &shape = shapes[i], &feed = graph.feed_shapes[i];
      if (shape.rank() != feed.rank()) fail("%s: input is %s, expected rank %d", name, shape.str().c_str(), feed.rank());
      for (int d = 0; d < std::min(2, feed.rank()); d++)
        if (feed[d] > 0 && shape[d] != feed[d])
          fail("%s: input is %s, expected %s %" PRId64, name, shape.str().c_str(), d == 0 ? "batch size" : "channel count", feed[d]);
      int64_t count = 1;
      for (int64_t dim : shape.dims()) {
        if (dim < 1) fail("%s: input is %s, expected sizes of at least 1", name, shape.str().c_str());
        if (count > options.max_input_elements / dim)
          fail("%s: input is %s, expected at most %" PRId64 " elements", name, shape.str().c_str(), options.max_input_elements);
        count *= dim;
      }
    }
  }

  graph::Plan& find_plan(std::span<const Shape> shapes) {
    auto it = std::ranges::find_if(plans, [&](const graph::Plan& plan) { return std::ranges::equal(plan.input_shapes(), shapes); });
    if (it != plans.end()) {
      plans.splice(plans.begin(), plans, it);
    } else {
      plans.emplace_front(graph, shapes, kernel_pointers, pool.threads(),
                          options.in_bands.value_or(!options.generic_only && options.threads == 1));
      if (plans.size() > static_cast<size_t>(options.plan_cache)) plans.pop_back();
    }
    return plans.front();
  }

  const graph::Plan& require_plan(const char* caller) const {
    if (prepared == nullptr) fail("%s: %s before a successful prepare()", graph.name.c_str(), caller);
    return *prepared;
  }

  void check_index(const char* what, int index, size_t count) const {
    if (index < 0 || static_cast<size_t>(index) >= count)
      fail("%s: %s %d was asked for, expected 0 to %zu", graph.name.c_str(), what, index, count - 1);
  }

  NodeProfile describe(const graph::Step& step) const {
    const graph::Node& node = graph.nodes[static_cast<size_t>(step.node)];
    return {
        node.op,       std::string(step.kernel->name()), step.outputs.empty() ? "" : step.outputs[0].shape.str(), 0, step.macs, step.bytes,
        step.band_rows};
  }
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Session Session::load(const std::string& path, const SessionOptions& options) { return Session(std::make_unique<Impl>(path, options)); }

TensorView Session::prepare(std::span<const Shape> input_shapes) {
  Impl& s = *impl_;
  s.prepared = nullptr;
  s.check_inputs(input_shapes);
  graph::Plan& plan = with_name(s.graph.name, [&]() -> graph::Plan& { return s.find_plan(input_shapes); });
  with_name(s.graph.name, [&] {
    plan.bind(s.arena.reserve(plan.arena_bytes(), "arena"));
    s.scratch.reserve(plan.scratch_bytes(), "scratch");
  });
  s.prepared = &plan;
  return plan.input(0);
}

void Session::run() {
  impl_->require_plan("run()");
  impl_->prepared->run(impl_->pool, impl_->scratch.data());
}

TensorView Session::input(int index) const {
  const graph::Plan& plan = impl_->require_plan("input()");
  impl_->check_index("input", index, impl_->graph.inputs.size());
  return plan.input(static_cast<size_t>(index));
}

TensorView Session::output(int index) const {
  const graph::Plan& plan = impl_->require_plan("output()");
  impl_->check_index("output", index, impl_->graph.outputs.size());
  return plan.output(static_cast<size_t>(index));
}

const graph::Graph& Session::graph() const { return impl_->graph; }

const Shape& Session::feed_shape() const { return impl_->graph.feed_shapes[0]; }

std::vector<NodeProfile> Session::nodes() const {
  std::vector<NodeProfile> nodes;
  for (const graph::Step& step : impl_->require_plan("nodes()").steps()) nodes.push_back(impl_->describe(step));
  return nodes;
}

std::vector<NodeProfile> Session::profile() {
  std::vector<NodeProfile> profiles = nodes();
  std::vector<double> ms(profiles.size(), 0.0);
  impl_->prepared->run(impl_->pool, impl_->scratch.data(), ms);
  for (size_t i = 0; i < ms.size(); i++) profiles[i].ms = ms[i];
  return profiles;
}

size_t Session::arena_bytes() const { return impl_->require_plan("arena_bytes()").arena_bytes(); }

int64_t Session::macs() const { return impl_->require_plan("macs()").macs(); }

size_t Session::weight_bytes() const {
  std::set<const std::byte*> seen;  // constants may share bytes
  size_t bytes = 0;
  const auto count = [&](const graph::Constant* constant) {
    if (constant != nullptr && seen.insert(constant->data.data()).second) bytes += constant->data.size();
  };
  for (const graph::Value& value : impl_->graph.values) count(value.constant.get());
  for (const graph::Node& node : impl_->graph.nodes)
    if (node.tail != nullptr) count(node.tail->addend.get());
  return bytes;
}

}  // namespace edgeocr
