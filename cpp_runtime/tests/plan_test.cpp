#include "graph/plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/thread_pool.h"
#include "graph/cost.h"
#include "graph/operators.h"
#include "kernels/kernel.h"
#include "program.h"

using namespace edgeocr;
using namespace edgeocr::test;
using graph::Lifetime;
using graph::MemoryPlan;
using graph::Plan;

namespace {

bool share_time(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

void check_disjoint(const std::vector<Lifetime>& lifetimes, const MemoryPlan& plan) {
  for (size_t i = 0; i < lifetimes.size(); i++) {
    CHECK(plan.offsets[i] % kAlignment == 0);
    CHECK(plan.offsets[i] + lifetimes[i].bytes <= plan.arena_bytes);
    for (size_t j = 0; j < i; j++) {
      bool apart = plan.offsets[i] + lifetimes[i].bytes <= plan.offsets[j] || plan.offsets[j] + lifetimes[j].bytes <= plan.offsets[i];
      CHECK((apart || !share_time(lifetimes[i], lifetimes[j])));
    }
  }
}

// Most bytes alive in one step: no plan can do with less.
size_t least_bytes(const std::vector<Lifetime>& lifetimes) {
  size_t least = 0;
  for (const Lifetime& at : lifetimes) {
    size_t alive = 0;
    for (const Lifetime& other : lifetimes)
      if (other.first <= at.first && at.first <= other.last) alive += align_up(other.bytes);
    least = std::max(least, alive);
  }
  return least;
}

// Stands for every operator: fills its outputs with a number of its own and checks that its inputs still hold their writer's.
struct TraceKernel : kernels::Kernel {
  explicit TraceKernel(uint8_t mark) : mark(mark) {}
  std::string_view name() const override { return "trace"; }
  size_t scratch_bytes(std::span<const TensorView> inputs, std::span<const TensorView>, int threads) const override {
    return inputs.size() * 1000 * static_cast<size_t>(threads);
  }
  void run(const kernels::RunContext&, std::span<const TensorView>, std::span<const TensorView> outputs) const override {
    for (const TensorView& out : outputs)
      if (out.data != nullptr) std::fill_n(out.as<uint8_t>(), dense_bytes(out.dtype, out.shape), mark);
  }
  uint8_t mark;
};

bool holds(const TensorView& view, uint8_t mark) {
  const auto* bytes = view.as<const uint8_t>();
  return std::all_of(bytes, bytes + dense_bytes(view.dtype, view.shape), [&](uint8_t b) { return b == mark; });
}

struct Traced {
  graph::Graph graph;
  std::vector<std::unique_ptr<TraceKernel>> kernels;
  std::vector<const kernels::Kernel*> pointers;
  std::map<graph::ValueId, uint8_t> marks;

  explicit Traced(graph::Graph g) : graph(std::move(g)) {
    uint8_t mark = 0;
    for (graph::ValueId id : graph.inputs) marks[id] = ++mark;
    for (const graph::Node& node : graph.nodes) {
      kernels.push_back(std::make_unique<TraceKernel>(++mark));
      pointers.push_back(kernels.back().get());
      for (const graph::Port& port : node.outputs) marks[port.value] = mark;
    }
  }
};

// Runs the plan with trace kernels: every step must find in its inputs what was written for it.
void check_run(const Traced& traced, Plan& plan) {
  auto arena = allocate_aligned(plan.arena_bytes(), "test");
  plan.bind(arena.get());
  ThreadPool pool(1);
  for (size_t i = 0; i < traced.graph.inputs.size(); i++) {
    const TensorView& input = plan.input(i);
    std::fill_n(input.as<uint8_t>(), dense_bytes(input.dtype, input.shape), traced.marks.at(traced.graph.inputs[i]));
  }
  for (int repeat = 0; repeat < 2; repeat++) {  // inputs survive a run
    for (const graph::Step& step : plan.steps()) {
      const graph::Node& node = traced.graph.nodes[static_cast<size_t>(step.node)];
      for (size_t i = 0; i < node.inputs.size(); i++) {
        auto mark = traced.marks.find(node.inputs[i].value);
        bool computed = mark != traced.marks.end() &&
                        std::ranges::any_of(plan.placements(), [&](const Plan::Placement& p) { return p.value == mark->first; });
        if (!computed) continue;
        INFO(node.label(), " input ", i);
        CHECK(holds(step.inputs[i], mark->second));
      }
      step.kernel->run({pool, nullptr}, step.inputs, step.outputs);
    }
    for (size_t i = 0; i < traced.graph.outputs.size(); i++) CHECK(holds(plan.output(i), traced.marks.at(traced.graph.outputs[i])));
  }
}

std::vector<Lifetime> lifetimes_of(const Plan& plan) {
  std::vector<Lifetime> lifetimes;
  for (const Plan::Placement& placement : plan.placements()) lifetimes.push_back(placement.lifetime);
  return lifetimes;
}

MemoryPlan memory_of(const Plan& plan) {
  MemoryPlan memory{{}, plan.arena_bytes()};
  for (const Plan::Placement& placement : plan.placements()) memory.offsets.push_back(placement.offset);
  return memory;
}

// Kernels count on the dense strides of every map but those of the file.
void check_strides(const graph::Graph& graph, const Plan& plan) {
  const auto is_dense = [](const TensorView& view) {
    const TensorView dense = dense_view(view.dtype, view.shape, nullptr);
    return view.batch_stride == dense.batch_stride && view.row_stride == dense.row_stride && view.pixel_stride == dense.pixel_stride;
  };
  for (const graph::Step& step : plan.steps()) {
    const graph::Node& node = graph.nodes[static_cast<size_t>(step.node)];
    for (size_t i = 0; i < step.inputs.size(); i++) CHECK((is_dense(step.inputs[i]) || graph.constant(node.inputs[i].value) != nullptr));
    for (const TensorView& output : step.outputs) CHECK(is_dense(output));
  }
}

// relu, split, add, concat … over values picked at random, some of them never read.
Program random_program(std::mt19937& random) {
  Program p;
  std::vector<std::string> alive{"x"};
  p.feed("x", {-1, 8, -1, -1});
  auto pick = [&] { return alive[random() % alive.size()]; };
  for (int i = 0; i < 30; i++) {
    std::string out = "v" + std::to_string(random() % 12);  // names are reused
    std::string second = out + "b";
    switch (random() % 3) {
      case 0: p.op("relu", {{"X", {pick()}}}, {{"Out", {out}}}); break;
      case 1: p.op("elementwise_add", {{"X", {pick()}}, {"Y", {pick()}}}, {{"Out", {out}}}); break;
      default: {
        p.op("concat", {{"X", {pick(), pick()}}}, {{"Out", {"joined"}}}, {{"axis", 1}});
        p.op("split", {{"X", {"joined"}}}, {{"Out", {out, second}}}, {{"axis", 1}, {"num", 2}});
        alive.push_back(second);
      }
    }
    alive.push_back(out);
  }
  return p.fetch(alive.back()).fetch(pick(), 1);
}

}  // namespace

TEST_CASE("memory plan: tensors that live together never overlap, the arena stays near what is alive") {
  std::mt19937 random(1);
  auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  double worst = 1;
  for (int round = 0; round < 200; round++) {
    std::vector<Lifetime> lifetimes;
    for (int i = below(60); i >= 0; i--) {
      int first = below(40);
      lifetimes.push_back({static_cast<size_t>(below(4) == 0 ? below(100000) : below(3000)), first, first + below(8)});
    }
    MemoryPlan plan = graph::plan_memory(lifetimes);
    check_disjoint(lifetimes, plan);
    size_t least = least_bytes(lifetimes);
    CHECK(plan.arena_bytes >= least);
    if (least > 0) worst = std::max(worst, static_cast<double>(plan.arena_bytes) / static_cast<double>(least));
  }
  CHECK(worst < 1.5);
}

TEST_CASE("memory plan: a chain needs its two largest neighbours, a small tensor takes the smallest gap that holds it") {
  MemoryPlan chain = graph::plan_memory(std::vector<Lifetime>{{640, 0, 1}, {640, 1, 2}, {640, 2, 3}, {320, 3, 4}});
  CHECK(chain.arena_bytes == 1280);
  // a, b, c, d and e lie side by side in step 0; when b and d have gone, f fits into d's place exactly.
  MemoryPlan gaps =
      graph::plan_memory(std::vector<Lifetime>{{1024, 0, 9}, {512, 0, 0}, {448, 0, 9}, {192, 0, 0}, {160, 0, 9}, {150, 1, 9}});
  CHECK(gaps.offsets[5] == gaps.offsets[3]);
  CHECK(graph::plan_memory({}).arena_bytes == 0);
}

TEST_CASE("plan: random graphs read what was written for them") {
  std::mt19937 random(2);
  for (int round = 0; round < 60; round++) {
    INFO("round ", round);
    Program p = random_program(random);
    Traced traced(graph::build(p.model(), "t.nb"));
    Shape input{1 + static_cast<int64_t>(random() % 2), 8, 1 + static_cast<int64_t>(random() % 5), 3};
    Plan plan(traced.graph, {&input, 1}, traced.pointers, 1);
    check_disjoint(lifetimes_of(plan), memory_of(plan));
    check_run(traced, plan);
    check_strides(traced.graph, plan);
  }
}

TEST_CASE("plan: the public models read what was written for them, at several sizes") {
  std::vector<std::string> paths = test_models();
  if (paths.empty()) MESSAGE("skipped: EDGEOCR_TEST_DATA is not set");
  for (const std::string& path : paths) {
    Traced traced(graph::build(nb::read_file(path), path));
    bool detector = path.find("det") != std::string::npos;
    for (const Shape& input :
         detector ? std::vector<Shape>{{1, 3, 64, 96}, {2, 3, 96, 64}} : std::vector<Shape>{{1, 3, 48, 192}, {3, 3, 32, 100}}) {
      INFO(path, " ", input.str());
      Plan plan(traced.graph, {&input, 1}, traced.pointers, 1);
      check_disjoint(lifetimes_of(plan), memory_of(plan));
      CHECK(plan.arena_bytes() < 2 * least_bytes(lifetimes_of(plan)));
      check_run(traced, plan);
      check_strides(traced.graph, plan);
    }
  }
}

TEST_CASE("plan: what is unread or known is not placed, and known nodes are no steps") {
  Program p;
  p.feed("x", {-1, 8, -1, -1});
  p.op("shape", {{"Input", {"x"}}}, {{"Out", {"s"}}}, {}, "def/1/4/2");
  p.op("fill_constant_batch_size_like", {{"Input", {"x"}}}, {{"Out", {"half"}}},
       {{"shape", std::vector<int32_t>{-1, 8, 1, 1}}, {"value", 0.5f}, {"dtype", 5}}, "def/1/4/1");
  p.op("split", {{"X", {"x"}}}, {{"Out", {"a", "b"}}}, {{"axis", 1}, {"num", 2}});
  p.op("elementwise_add", {{"X", {"x"}}, {"Y", {"half"}}}, {{"Out", {"y"}}});
  p.op("concat", {{"X", {"y", "b"}}}, {{"Out", {"z"}}}, {{"axis", 1}});
  p.fetch("z");
  graph::Graph g = graph::build(p.model(), "t.nb");
  Shape input{2, 8, 4, 4};
  Plan plan(g, {&input, 1}, {}, 1);
  REQUIRE(plan.steps().size() == 3);
  CHECK(plan.placements().size() == 4);  // x, b, y, z
  CHECK(plan.scratch_bytes() == 0);
  auto arena = allocate_aligned(plan.arena_bytes(), "test");
  plan.bind(arena.get());

  const graph::Step& split = plan.steps()[0];
  CHECK(split.outputs[0].data == nullptr);
  CHECK(split.outputs[1].data != nullptr);
  // A known tensor of rank 4 comes as a feature map: channels innermost.
  const TensorView& half = plan.steps()[1].inputs[1];
  CHECK(half.shape == Shape{2, 8, 1, 1});
  CHECK(half.pixel_stride == 8);
  CHECK(half.batch_stride == 8);
  for (int i = 0; i < 16; i++) CHECK(half.as<float>()[i] == 0.5f);
  CHECK(plan.input(0).data == plan.steps()[1].inputs[0].data);
  CHECK(plan.output(0).data == plan.steps()[2].outputs[0].data);
}

TEST_CASE("plan: parameters keep the layout of the file, whatever their rank") {
  Program p;
  p.feed("x", {-1, 3, -1, -1}).filled("w", {8, 3, 1, 1}, 2);
  p.op("conv2d", {{"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"y"}}}).fetch("y");
  graph::Graph g = graph::build(p.model(), "t.nb");
  Shape input{1, 3, 2, 2};
  Plan plan(g, {&input, 1}, {}, 1);
  const TensorView& filter = plan.steps()[0].inputs[0];
  CHECK(filter.data == g.constant(g.nodes[0].input("Filter"))->data.data());
  CHECK(filter.pixel_stride == 0);
  CHECK(plan.steps()[0].inputs[1].pixel_stride == 4);
}

TEST_CASE("plan: views follow the arena when it moves") {
  Program p;
  p.feed("x", {-1, 8, -1, -1}).op("relu", {{"X", {"x"}}}, {{"Out", {"y"}}}).fetch("y");
  graph::Graph g = graph::build(p.model(), "t.nb");
  Shape input{1, 8, 4, 4};
  Plan plan(g, {&input, 1}, {}, 1);
  auto first = allocate_aligned(plan.arena_bytes(), "test"), second = allocate_aligned(plan.arena_bytes(), "test");
  plan.bind(first.get());
  auto offset = plan.output(0).as<std::byte>() - first.get();
  plan.bind(second.get());
  CHECK(plan.output(0).as<std::byte>() == second.get() + offset);
  CHECK(plan.steps()[0].inputs[0].data == plan.input(0).data);
}

TEST_CASE("plan: scratch is the largest of all kernels") {
  Program p;
  p.feed("x", {-1, 8, -1, -1})
      .op("relu", {{"X", {"x"}}}, {{"Out", {"y"}}})
      .op("elementwise_add", {{"X", {"x"}}, {"Y", {"y"}}}, {{"Out", {"z"}}})
      .fetch("z");
  Traced traced(graph::build(p.model(), "t.nb"));
  Shape input{1, 8, 4, 4};
  CHECK(Plan(traced.graph, {&input, 1}, traced.pointers, 3).scratch_bytes() == 2 * 1000 * 3);
}

TEST_CASE("plan: sizes that no phone can hold are refused") {
  Program p;
  p.feed("x", {-1, 8, -1, -1})
      .op("nearest_interp_v2", {{"X", {"x"}}}, {{"Out", {"y"}}}, {{"scale", std::vector<float>{200, 200}}})
      .fetch("y");
  graph::Graph g = graph::build(p.model(), "t.nb");
  Shape input{1, 8, 80, 80};
  CHECK(error_of([&] { Plan(g, {&input, 1}, {}, 1); }) ==
        "t.nb: an input of 1x8x80x80 needs 8192204800 bytes of memory, expected at most 4294967296: use a smaller input");
}

TEST_CASE("plan: costs are counted") {
  Program p;
  p.feed("x", {-1, 8, -1, -1}).filled("w", {16, 4, 3, 3}).filled("t", {16, 5, 2, 2}).filled("k", {20, 7});
  p.op("conv2d", {{"Filter", {"w"}}, {"Input", {"x"}}}, {{"Output", {"a"}}},
       {{"groups", 2}, {"paddings", std::vector<int32_t>{1, 1}}, {"strides", std::vector<int32_t>{2, 2}}});
  p.op("conv2d_transpose", {{"Filter", {"t"}}, {"Input", {"a"}}}, {{"Output", {"b"}}}, {{"strides", std::vector<int32_t>{2, 2}}});
  p.op("reshape2", {{"X", {"b"}}}, {{"Out", {"c"}}}, {{"shape", std::vector<int32_t>{-1, 20}}});
  p.op("mul", {{"X", {"c"}}, {"Y", {"k"}}}, {{"Out", {"d"}}});
  p.fetch("d");
  graph::Graph g = graph::build(p.model(), "t.nb");
  Shape input{2, 8, 8, 8};
  Plan plan(g, {&input, 1}, {}, 1);
  // 2x16x4x4 of 4x3x3 taps; 2x4x4 pixels of 16x5x2x2 weights; 2x5x8x8 = 32 rows of 20 by 20x7.
  CHECK(plan.steps()[0].macs == 2 * 16 * 4 * 4 * 4 * 9);
  CHECK(plan.steps()[1].macs == 2 * 4 * 4 * 16 * 5 * 4);
  CHECK(plan.steps()[2].macs == 0);
  CHECK(plan.steps()[3].macs == 32 * 20 * 7);
  CHECK(plan.macs() == 2 * 16 * 4 * 4 * 36 + 2 * 4 * 4 * 320 + 32 * 140);
  CHECK(plan.steps()[0].bytes == 4 * (2 * 8 * 64 + 16 * 36 + 2 * 16 * 16));
  CHECK(plan.steps()[2].bytes == 2 * 4 * 640);
}
