#include "kernels/neon/requant_steps.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/neon/line_steps.h"
#include "kernels/neon/parabola_steps.h"
#include "kernels/neon/steps_search.h"

namespace edgeocr::kernels::neon {

namespace {

// By how many units bends differ from the nearest, in the order of trying.
constexpr std::pair<int, int> kBends[] = {{0, 0},  {1, 0},  {0, -1}, {0, 1},  {-1, 0},  {1, 1},  {-1, -1}, {2, 0},   {1, -1},
                                          {0, -2}, {0, 2},  {-1, 1}, {-2, 0}, {2, 1},   {1, 2},  {-1, -2}, {-2, -1}, {2, -1},
                                          {1, -2}, {-1, 2}, {-2, 1}, {2, 2},  {-2, -2}, {2, -2}, {-2, 2}};

// One of each channel, or nothing. `hardest`: the channel to begin with; then the one that had none.
template <class Find> std::optional<StepsTable> all_of(size_t channels, size_t& hardest, const Find& find) {
  StepsTable table{std::vector<float>(channels), std::vector<float>(channels), std::vector<int32_t>(channels), {}};
  const size_t first = hardest;
  for (size_t n = 0; n < channels; n++) {
    const size_t i = (first + n) % channels;
    const std::optional<Steps> steps = find(i);
    if (!steps) {
      hardest = i;
      return {};
    }
    table.scale[i] = steps->scale;
    table.offset[i] = steps->offset;
    table.start[i] = steps->start;
  }
  return table;
}

}  // namespace

std::optional<StepsTable> find_steps(std::span<const Rule> rules, std::span<const int64_t> reach) {
  if (std::ranges::any_of(reach, [](int64_t r) { return r >= kFirstStart / 2; })) return {};
  size_t hardest = 0;
  if (rules[0].act.kind != ActKind::hard_swish)
    return all_of(rules.size(), hardest, [&](size_t i) { return find_line(rules[i], reach[i]); });
  const std::optional<NearHalves> halves = NearHalves::of(rules[0]);
  if (!halves) return {};
  std::vector<Points> points;
  for (size_t i = 0; i < rules.size(); i++) {
    std::optional<Points> own = halves->points(rules[i], reach[i]);
    if (!own) return {};
    points.push_back(std::move(*own));
  }
  const Bend nearest = bend_of(rules[0]);
  for (const auto [offset, top] : kBends) {
    const Parabola parabola({moved(nearest.offset, offset), moved(nearest.top, top)});
    auto table = all_of(rules.size(), hardest, [&](size_t i) { return parabola_through(rules[i], parabola, reach[i], points[i]); });
    if (!table) continue;
    table->bend = parabola.bend();
    return table;
  }
  return {};
}

}  // namespace edgeocr::kernels::neon
