#include "graph/bands.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "graph/row_reach.h"
#include "program.h"

using namespace edgeocr;
using namespace edgeocr::graph;
using edgeocr::test::Program;

namespace {

nb::Attr ints(std::vector<int64_t> values) { return values; }

Program& convolution(Program& program, const std::string& from, const std::string& to, int64_t channels, int64_t kernel, int64_t stride,
                     int64_t pad) {
  program.filled(to + ".w", {channels, channels, kernel, kernel});
  return program.op(
      "conv2d", {{"Input", {from}}, {"Filter", {to + ".w"}}}, {{"Output", {to}}},
      {{"strides", ints({stride, stride})}, {"paddings", ints({pad, pad})}, {"dilations", ints({1, 1})}, {"groups", int64_t{1}}});
}

struct Steps {
  Graph graph;
  std::vector<BandStep> steps;
  std::vector<Inferred> values;

  Steps(Program& program, const Shape& input, std::vector<int64_t> grains = {1}) : graph(build(program.model(), "test")) {
    for (size_t i = 0; i < graph.nodes.size(); i++) steps.push_back({&graph.nodes[i], true, grains[i % grains.size()]});
    values = infer(graph, {&input, 1});
  }
  int64_t height(ValueId id) const { return values[static_cast<size_t>(id)].shape[2]; }
};

// What every schedule must keep to, whatever it looks like.
void check_schedule(const Steps& s, const BandGroup& group) {
  const auto count = static_cast<size_t>(group.end - group.first);
  std::vector<int64_t> done(count, 0);
  std::vector<int64_t> dropped(group.tensors.size(), 0);
  for (const Band& band : group.bands) {
    REQUIRE(band.steps.size() == count);
    std::vector<int64_t> end(s.graph.values.size(), -1), first(s.graph.values.size(), 0);  // rows at hand, by value
    for (size_t t = 0; t < group.tensors.size(); t++) {
      CHECK(band.first_rows[t] >= dropped[t]);
      dropped[t] = band.first_rows[t];
      first[static_cast<size_t>(group.tensors[t].value)] = band.first_rows[t];
    }
    for (size_t i = 0; i < count; i++) {
      const BandStep& step = s.steps[static_cast<size_t>(group.first) + i];
      const ValueId made = step.node->outputs[0].value;
      const RowRange rows = band.steps[i];
      CHECK(rows.begin == done[i]);
      CHECK(rows.end >= rows.begin);
      CHECK(rows.end <= s.height(made));
      if (rows.end < s.height(made)) CHECK(rows.end % step.row_grain == 0);
      for (size_t port = 0; port < step.node->inputs.size(); port++) {
        const ValueId read = step.node->inputs[port].value;
        if (s.graph.constant(read) != nullptr || end[static_cast<size_t>(read)] < 0) continue;
        const RowRange needed = row_reach(*step.node, port, s.values)->of(rows);
        if (rows.begin == rows.end) continue;
        CHECK(needed.begin >= first[static_cast<size_t>(read)]);
        CHECK(needed.end <= end[static_cast<size_t>(read)]);
      }
      done[i] = rows.end;
      end[static_cast<size_t>(made)] = rows.end;
      for (size_t t = 0; t < group.tensors.size(); t++)
        if (group.tensors[t].value == made) CHECK(rows.end - band.first_rows[t] <= group.tensors[t].rows);
    }
  }
  for (size_t i = 0; i < count; i++) CHECK(done[i] == s.height(s.steps[static_cast<size_t>(group.first) + i].node->outputs[0].value));
}

}  // namespace

TEST_CASE("row reach: convolutions need the rows under their windows") {
  for (int64_t kernel : {1, 3, 5})
    for (int64_t stride : {1, 2, 3})
      for (int64_t pad = 0; pad < kernel; pad++) {
        Program p;
        convolution(p.feed("x", {1, 4, 29, 16}), "x", "y", 4, kernel, stride, pad).fetch("y");
        const Steps s(p, {1, 4, 29, 16});
        const RowReach reach = *row_reach(s.graph.nodes[0], 0, s.values);
        const int64_t height = s.height(s.graph.outputs[0]);
        for (int64_t begin = 0; begin < height; begin++)
          for (int64_t end = begin + 1; end <= height; end++) {
            int64_t first = 29, last = -1;
            for (int64_t y = begin; y < end; y++)
              for (int64_t k = 0; k < kernel; k++) {
                const int64_t row = y * stride - pad + k;
                if (row >= 0 && row < 29) first = std::min(first, row), last = std::max(last, row);
              }
            const RowRange rows = reach.of({begin, end});
            if (last < 0) CHECK(rows.begin >= rows.end);
            else CHECK(rows == RowRange{first, last + 1});
          }
      }
}

TEST_CASE("row reach: transposed convolutions need the rows that reach the output") {
  for (int64_t kernel : {2, 3, 4})
    for (int64_t stride : {1, 2, 3})
      for (int64_t pad : {0, 1}) {
        if (kernel < stride) continue;
        Program p;
        p.filled("w", {4, 4, kernel, kernel}).feed("x", {1, 4, 11, 8});
        p.op("conv2d_transpose", {{"Input", {"x"}}, {"Filter", {"w"}}}, {{"Output", {"y"}}},
             {{"strides", ints({stride, stride})}, {"paddings", ints({pad, pad})}, {"dilations", ints({1, 1})}, {"groups", int64_t{1}}});
        p.fetch("y");
        const Steps s(p, {1, 4, 11, 8});
        const RowReach reach = *row_reach(s.graph.nodes[0], 0, s.values);
        for (int64_t y = 0; y < s.height(s.graph.outputs[0]); y++) {
          int64_t first = 11, last = -1;
          for (int64_t row = 0; row < 11; row++)
            if (y + pad - row * stride >= 0 && y + pad - row * stride < kernel) first = std::min(first, row), last = row;
          if (last >= 0) CHECK(reach.of({y, y + 1}) == RowRange{first, last + 1});
        }
      }
}

TEST_CASE("bands: a chain is computed once, in order, from rows that are there") {
  std::mt19937 random(31);
  const auto one_of = [&](std::vector<int64_t> from) { return from[random() % from.size()]; };
  for (int round = 0; round < 200; round++) {
    Program p;
    p.feed("x", {1, 4, -1, 16});
    std::string at = "x";
    const int length = 2 + static_cast<int>(random() % 6);
    int64_t height = 20 + static_cast<int64_t>(random() % 200);
    const Shape input{1, 4, height, 64};
    for (int i = 0; i < length; i++) {
      const int64_t kernel = one_of({1, 3, 5}), stride = height > 12 ? one_of({1, 1, 2}) : 1;
      const std::string next = "v" + std::to_string(i);
      convolution(p, at, next, 4, kernel, stride, kernel / 2);
      height = (height - 1) / stride + 1;
      at = next;
    }
    p.fetch(at);
    if (random() % 2 == 0) p.fetch("v0", 1);  // read from outside as well
    const Steps s(p, input, {one_of({1, 2, 4}), one_of({1, 4})});
    const BandGroup group = make_band_group(s.graph, s.steps, s.values, 0, length, one_of({1, 3, 8, 32}));
    REQUIRE(!group.bands.empty());
    check_schedule(s, group);
  }
}

TEST_CASE("bands: maps larger than the cache are kept in rows, small ones are left alone") {
  const auto groups_of = [](int64_t size) {
    Program p;
    p.feed("x", {1, 8, size, size});
    convolution(p, "x", "a", 8, 3, 1, 1);
    convolution(p, "a", "b", 8, 3, 1, 1);
    convolution(p, "b", "c", 8, 3, 2, 1).fetch("c");
    const Steps s(p, {1, 8, size, size});
    std::vector<BandGroup> groups = choose_band_groups(s.graph, s.steps, s.values);
    for (const BandGroup& group : groups) check_schedule(s, group);
    return groups;
  };
  const std::vector<BandGroup> large = groups_of(512);
  REQUIRE(large.size() == 1);
  CHECK(large[0].end - large[0].first == 3);
  CHECK(large[0].tensors.size() == 2);
  for (const BandTensor& tensor : large[0].tensors) CHECK(tensor.rows < 100);
  CHECK(groups_of(48).empty());
}

TEST_CASE("bands: a step that does not work by rows belongs to no group") {
  Program p;
  p.feed("x", {1, 8, 512, 512});
  for (int i = 0; i < 5; i++) convolution(p, i == 0 ? "x" : "v" + std::to_string(i - 1), "v" + std::to_string(i), 8, 3, 1, 1);
  p.fetch("v4");
  Steps s(p, {1, 8, 512, 512});
  s.steps[2].by_rows = false;
  const std::vector<BandGroup> groups = choose_band_groups(s.graph, s.steps, s.values);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].end <= 2);
  CHECK(groups[1].first >= 3);
}
