// pool2d and softmax against loops over every window and line.
#include <limits>

#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

constexpr int64_t kChannels[] = {1, 2, 3, 4, 5, 8, 10, 17, 24, 70};

struct Window {
  int64_t y0, y1, x0, x1;  // clipped to the map
  int64_t count;           // what an average divides by
};

Dense<float> naive_pool(const Dense<float>& in, const Shape& out, bool max, const auto& window_of) {
  Dense<float> result(out);
  for (int64_t n = 0; n < out[0]; n++)
    for (int64_t c = 0; c < out[1]; c++)
      for (int64_t y = 0; y < out[2]; y++)
        for (int64_t x = 0; x < out[3]; x++) {
          const Window w = window_of(y, x);
          double sum = 0, highest = -std::numeric_limits<float>::max();
          for (int64_t iy = w.y0; iy < w.y1; iy++)
            for (int64_t ix = w.x0; ix < w.x1; ix++) {
              sum += in.at(n, c, iy, ix);
              highest = std::max<double>(highest, in.at(n, c, iy, ix));
            }
          result.at(n, c, y, x) = static_cast<float>(max ? highest : sum / static_cast<double>(w.count));
        }
  return result;
}

Operator pool(const Dense<float>& in, const Shape& out, bool max) {
  Operator op("pool2d");
  op.attribute("pooling_type", std::string(max ? "max" : "avg"));
  op.input("X", in);
  op.output("Out", DataType::f32, out);
  return op;
}

void check_pool(const Operator& op, const Dense<float>& expected, bool max) {
  for (const Tensor& level : op.all_levels()) check_close(level.dense<float>(), expected, max ? 0 : 1e-5);
}

}  // namespace

TEST_CASE("pool2d by windows: strides, pads, ceil_mode, exclusive") {
  Random random(51);
  for (int i = 0; i < 200; i++) {
    const bool max = random.chance(50), ceil_mode = random.chance(30), exclusive = random.chance(60);
    const int64_t kh = random.integer(1, 4), kw = random.integer(1, 4), sh = random.integer(1, 3), sw = random.integer(1, 3);
    const std::array<int64_t, 4> pads{random.integer(0, kh - 1), random.integer(0, kh - 1), random.integer(0, kw - 1),
                                      random.integer(0, kw - 1)};
    const Dense<float> in =
        random.reals({random.integer(1, 2), random.pick(kChannels), kh + random.integer(0, 9), kw + random.integer(0, 12)});
    const auto size = [&](int64_t in_size, int64_t pad, int64_t k, int64_t s) {
      return (in_size + pad - k + (ceil_mode ? s - 1 : 0)) / s + 1;
    };
    const Shape out{in.shape[0], in.shape[1], size(in.shape[2], pads[0] + pads[1], kh, sh), size(in.shape[3], pads[2] + pads[3], kw, sw)};
    const auto window = [&](int64_t y, int64_t x) {
      const int64_t top = y * sh - pads[0], left = x * sw - pads[2];
      Window w{std::max<int64_t>(top, 0), std::min(top + kh, in.shape[2]), std::max<int64_t>(left, 0), std::min(left + kw, in.shape[3]),
               kh * kw};
      if (exclusive) w.count = (w.y1 - w.y0) * (w.x1 - w.x0);
      return w;
    };
    // With ceil_mode a last window may lie wholly in the padding; Paddle gives no useful value there.
    const Window last = window(out[2] - 1, out[3] - 1);
    if (last.y1 <= last.y0 || last.x1 <= last.x0) continue;
    CAPTURE(in.shape.str());
    CAPTURE(out.str());
    Operator op = pool(in, out, max);
    op.ints("ksize", {static_cast<int32_t>(kh), static_cast<int32_t>(kw)});
    op.ints("strides", {static_cast<int32_t>(sh), static_cast<int32_t>(sw)});
    op.ints("paddings", std::vector<int32_t>(pads.begin(), pads.end()));
    op.attribute("ceil_mode", ceil_mode);
    op.attribute("exclusive", exclusive);
    check_pool(op, naive_pool(in, out, max, window), max);
  }
}

TEST_CASE("global and adaptive pool2d") {
  Random random(52);
  for (int i = 0; i < 120; i++) {
    const bool max = random.chance(40), global = random.chance(60);
    const Dense<float> in = random.reals({random.integer(1, 2), random.pick(kChannels), random.integer(1, 40), random.integer(1, 40)});
    const Shape out = global ? Shape{in.shape[0], in.shape[1], 1, 1}
                             : Shape{in.shape[0], in.shape[1], random.integer(1, in.shape[2]), random.integer(1, in.shape[3])};
    CAPTURE(in.shape.str());
    CAPTURE(out.str());
    Operator op = pool(in, out, max);
    op.attribute("global_pooling", global);
    op.attribute("adaptive", !global);
    op.ints("ksize", {static_cast<int32_t>(out[2]), static_cast<int32_t>(out[3])});
    op.ints("paddings", {0, 0});
    const auto window = [&](int64_t y, int64_t x) {
      const auto first = [](int64_t at, int64_t in_size, int64_t out_size) { return at * in_size / out_size; };
      const auto stop = [](int64_t at, int64_t in_size, int64_t out_size) { return ((at + 1) * in_size + out_size - 1) / out_size; };
      Window w{first(y, in.shape[2], out[2]), stop(y, in.shape[2], out[2]), first(x, in.shape[3], out[3]), stop(x, in.shape[3], out[3]), 0};
      w.count = (w.y1 - w.y0) * (w.x1 - w.x0);
      return w;
    };
    check_pool(op, naive_pool(in, out, max, window), max);
  }
}

TEST_CASE("a global average over a large map keeps its last bits") {
  Dense<float> in({1, 3, 300, 300});
  Random random(53);
  for (float& v : in.data) v = random.real(0.9f, 1.1f);
  const Shape out{1, 3, 1, 1};
  Operator op = pool(in, out, false);
  op.attribute("global_pooling", true);
  const auto window = [&](int64_t, int64_t) { return Window{0, 300, 0, 300, 90000}; };
  check_close(op.run().dense<float>(), naive_pool(in, out, false, window), 1e-6);
}

TEST_CASE("softmax along any axis sums to one and equals the formula") {
  Random random(54);
  for (int i = 0; i < 200; i++) {
    const int rank = static_cast<int>(random.integer(1, 4));
    std::vector<int64_t> dims;
    for (int d = 0; d < rank; d++) dims.push_back(rank == 4 && d == 1 ? random.pick(kChannels) : random.integer(1, 9));
    if (rank < 4 && random.chance(20)) dims.back() = random.integer(90, 200);
    const Shape shape(dims);
    const int axis = static_cast<int>(random.integer(0, rank - 1));
    CAPTURE(shape.str());
    CAPTURE(axis);
    const Dense<float> in = random.reals(shape, -20, 20);
    int64_t inner = 1;
    for (int d = axis + 1; d < rank; d++) inner *= shape[d];
    Dense<float> expected(shape);
    for (int64_t line = 0; line < shape.count() / shape[axis]; line++) {
      const int64_t first = line / inner * inner * shape[axis] + line % inner;
      const auto at = [&](int64_t k) { return static_cast<size_t>(first + k * inner); };
      double highest = -1e30, sum = 0;
      for (int64_t k = 0; k < shape[axis]; k++) highest = std::max<double>(highest, in.data[at(k)]);
      for (int64_t k = 0; k < shape[axis]; k++) sum += std::exp(in.data[at(k)] - highest);
      for (int64_t k = 0; k < shape[axis]; k++) expected.data[at(k)] = static_cast<float>(std::exp(in.data[at(k)] - highest) / sum);
    }
    Operator op("softmax");
    op.attribute("axis", static_cast<int32_t>(random.chance(50) ? axis : axis - rank));
    op.input("X", in);
    op.output("Out", DataType::f32, shape);
    const Dense<float> actual = op.run().dense<float>();
    check_close(actual, expected, 1e-6);
    for (const Tensor& level : op.other_levels()) check_equal(level.dense<float>(), actual);
  }
}

}  // namespace edgeocr::kernel_test
