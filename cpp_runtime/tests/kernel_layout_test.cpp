// Operators that move elements: their results are the input's elements, to the bit, in logical (NCHW) order.
#include "kernel_harness.h"

namespace edgeocr::kernel_test {

namespace {

constexpr int64_t kChannels[] = {1, 2, 3, 4, 5, 8, 10, 17, 24};

Shape random_shape(Random& random, int rank) {
  std::vector<int64_t> dims;
  for (int i = 0; i < rank; i++) dims.push_back(rank == 4 && i == 1 ? random.pick(kChannels) : random.integer(1, 7));
  return Shape(dims);
}

// Row-major index ↔ coordinates.
std::vector<int64_t> coordinates(const Shape& shape, int64_t index) {
  std::vector<int64_t> at(static_cast<size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; i--) {
    at[static_cast<size_t>(i)] = index % shape[i];
    index /= shape[i];
  }
  return at;
}
int64_t index_of(const Shape& shape, const std::vector<int64_t>& at) {
  int64_t index = 0;
  for (int i = 0; i < shape.rank(); i++) index = index * shape[i] + at[static_cast<size_t>(i)];
  return index;
}

// Splits count into `rank` factors.
Shape random_factors(Random& random, int64_t count, int rank) {
  std::vector<int64_t> dims(static_cast<size_t>(rank), 1);
  for (int64_t factor = 2; count > 1;) {
    if (count % factor != 0) {
      factor++;
      continue;
    }
    dims[static_cast<size_t>(random.integer(0, rank - 1))] *= factor;
    count /= factor;
  }
  return Shape(dims);
}

template <class T> Dense<T> random_tensor(Random& random, const Shape& shape) {
  if constexpr (std::is_same_v<T, float>) return random.reals(shape);
  else return random.int8s(shape);
}

template <class T> void check_reshape(Random& random) {
  const Shape from = random_shape(random, static_cast<int>(random.integer(1, 5)));
  const Shape to = random_factors(random, from.count(), static_cast<int>(random.integer(1, 5)));
  CAPTURE(from.str());
  CAPTURE(to.str());
  Dense<T> in = random_tensor<T>(random, from);
  Operator op(random.pick({"reshape2", "squeeze2", "unsqueeze2", "flatten2", "flatten_contiguous_range"}));
  op.input("X", in);
  op.output("Out", dtype_of<T>(), to);
  in.shape = to;
  check_equal(op.run().template dense<T>(), in);
}

template <class T> void check_transpose(Random& random) {
  const int rank = static_cast<int>(random.integer(2, 5));
  const Shape from = random_shape(random, rank);
  std::vector<int32_t> axes;
  for (int i = 0; i < rank; i++) axes.insert(axes.begin() + random.integer(0, i), i);
  CAPTURE(from.str());
  CAPTURE(axes);
  Shape to = from;
  for (int i = 0; i < rank; i++) to[i] = from[axes[static_cast<size_t>(i)]];
  const Dense<T> in = random_tensor<T>(random, from);
  Dense<T> expected(to);
  for (int64_t i = 0; i < to.count(); i++) {
    const auto at = coordinates(to, i);
    std::vector<int64_t> source(at.size());
    for (size_t d = 0; d < at.size(); d++) source[static_cast<size_t>(axes[d])] = at[d];
    expected.data[static_cast<size_t>(i)] = in.data[static_cast<size_t>(index_of(from, source))];
  }
  Operator op("transpose2");
  op.ints("axis", axes);
  op.input("X", in);
  op.output("Out", dtype_of<T>(), to);
  check_equal(op.run().template dense<T>(), expected);
}

// Parts along an axis, and their concatenation.
template <class T> struct Parts {
  int axis = 0;
  Dense<T> whole;
  std::vector<Dense<T>> parts;
};
template <class T> Parts<T> random_parts(Random& random) {
  const int rank = static_cast<int>(random.integer(1, 5));
  Parts<T> p;
  p.axis = static_cast<int>(random.integer(0, rank - 1));
  Shape shape = random_shape(random, rank);
  std::vector<int64_t> sizes;
  for (int64_t i = random.integer(1, 4); i > 0; i--)
    sizes.push_back(rank == 4 && p.axis == 1 ? random.pick(kChannels) : random.integer(1, 5));
  shape[p.axis] = 0;
  for (int64_t size : sizes) shape[p.axis] += size;
  p.whole = random_tensor<T>(random, shape);
  int64_t first = 0;
  for (int64_t size : sizes) {
    Shape part = shape;
    part[p.axis] = size;
    p.parts.emplace_back(part);
    for (int64_t i = 0; i < part.count(); i++) {
      auto at = coordinates(part, i);
      at[static_cast<size_t>(p.axis)] += first;
      p.parts.back().data[static_cast<size_t>(i)] = p.whole.data[static_cast<size_t>(index_of(shape, at))];
    }
    first += size;
  }
  return p;
}

template <class T> void check_concat(Random& random) {
  const Parts<T> p = random_parts<T>(random);
  CAPTURE(p.whole.shape.str());
  CAPTURE(p.axis);
  Operator op("concat");
  op.attribute("axis", static_cast<int32_t>(random.chance(50) ? p.axis : p.axis - p.whole.shape.rank()));
  for (const Dense<T>& part : p.parts) {
    if (random.chance(20)) {
      op.constant("X", part);
    } else {
      op.input("X", part);
    }
  }
  op.output("Out", dtype_of<T>(), p.whole.shape);
  check_equal(op.run().template dense<T>(), p.whole);
}

template <class T> void check_split(Random& random) {
  const Parts<T> p = random_parts<T>(random);
  CAPTURE(p.whole.shape.str());
  CAPTURE(p.axis);
  Operator op("split");
  op.attribute("axis", static_cast<int32_t>(p.axis));
  std::vector<int32_t> sections;
  for (const Dense<T>& part : p.parts) {
    sections.push_back(static_cast<int32_t>(part.shape[p.axis]));
    op.output("Out", dtype_of<T>(), part.shape);
  }
  bool equal = true;
  for (int32_t section : sections) equal = equal && section == sections[0];
  if (random.chance(30)) sections[static_cast<size_t>(random.integer(0, static_cast<int64_t>(sections.size()) - 1))] = -1;
  if (!equal || random.chance(50)) op.ints("sections", sections);
  op.input("X", p.whole);
  for (size_t i = 0; i < p.parts.size(); i++) check_equal(op.run(i).template dense<T>(), p.parts[i]);
}

template <class T> void check_slice(Random& random) {
  const int rank = static_cast<int>(random.integer(1, 5));
  const Shape from = random_shape(random, rank);
  std::vector<int32_t> axes, starts, ends, dropped;
  Shape part = from;
  std::vector<int64_t> first(static_cast<size_t>(rank), 0);
  for (int axis = 0; axis < rank; axis++) {
    if (random.chance(50)) continue;
    const int64_t start = random.integer(0, from[axis] - 1), end = random.integer(start + 1, from[axis]);
    axes.push_back(axis);
    starts.push_back(static_cast<int32_t>(random.chance(30) ? start - from[axis] : start));
    ends.push_back(static_cast<int32_t>(end == from[axis] && random.chance(50) ? 2147483647 : end));
    part[axis] = end - start;
    first[static_cast<size_t>(axis)] = start;
    if (part[axis] == 1 && random.chance(50)) dropped.push_back(axis);
  }
  CAPTURE(from.str());
  CAPTURE(part.str());
  std::vector<int64_t> kept;
  for (int axis = 0; axis < rank; axis++)
    if (std::ranges::find(dropped, axis) == dropped.end()) kept.push_back(part[axis]);
  const Shape to = kept.empty() ? Shape{1} : Shape(kept);
  const Dense<T> in = random_tensor<T>(random, from);
  Dense<T> expected(to);
  for (int64_t i = 0; i < part.count(); i++) {
    auto at = coordinates(part, i);
    for (size_t d = 0; d < at.size(); d++) at[d] += first[d];
    expected.data[static_cast<size_t>(i)] = in.data[static_cast<size_t>(index_of(from, at))];
  }
  Operator op("slice");
  op.ints("axes", axes);
  op.ints("decrease_axis", dropped);
  op.input("Input", in);
  const auto tensor_of = [](const std::vector<int32_t>& values) {
    Dense<int32_t> d({static_cast<int64_t>(values.size())});
    d.data = values;
    return d;
  };
  const int64_t form = axes.empty() ? 0 : random.integer(0, 2);
  if (form == 0) {
    op.ints("starts", starts);
    op.ints("ends", ends);
  } else if (form == 1) {
    op.input("StartsTensor", tensor_of(starts));
    op.input("EndsTensor", tensor_of(ends));
  } else {
    for (int32_t v : starts) op.input("StartsTensorList", tensor_of({v}));
    for (int32_t v : ends) op.input("EndsTensorList", tensor_of({v}));
  }
  op.output("Out", dtype_of<T>(), to);
  check_equal(op.run().template dense<T>(), expected);
}

}  // namespace

TEST_CASE("reshape2 and its like keep the logical order, between maps and rows") {
  Random random(41);
  for (int i = 0; i < 200; i++) check_reshape<float>(random);
  for (int i = 0; i < 100; i++) check_reshape<int8_t>(random);
}

TEST_CASE("transpose2 permutes the logical dimensions") {
  Random random(42);
  for (int i = 0; i < 200; i++) check_transpose<float>(random);
  for (int i = 0; i < 100; i++) check_transpose<int8_t>(random);
}

TEST_CASE("concat joins along any axis, constants of the file included") {
  Random random(43);
  for (int i = 0; i < 200; i++) check_concat<float>(random);
  for (int i = 0; i < 100; i++) check_concat<int8_t>(random);
}

TEST_CASE("split is the reverse of concat") {
  Random random(44);
  for (int i = 0; i < 200; i++) check_split<float>(random);
  for (int i = 0; i < 100; i++) check_split<int8_t>(random);
}

TEST_CASE("split leaves out what nobody reads") {
  Random random(45);
  const Dense<float> in = random.reals({1, 10, 3, 4});
  Operator op("split");
  op.attribute("axis", 1);
  op.attribute("num", 2);
  op.input("X", in);
  op.output("Out", DataType::f32, {1, 5, 3, 4});
  op.output("Out", DataType::f32, {1, 5, 3, 4});
  const auto kernel = op.kernel();
  const Tensor source = Tensor::of(in);
  const Tensor second(DataType::f32, {1, 5, 3, 4});
  ThreadPool pool(1);
  const TensorView outputs[] = {{}, second.view()};
  kernel->run({pool, nullptr}, std::span(&source.view(), 1), outputs);
  CHECK(second.dense<float>().at(0, 4, 2, 3) == in.at(0, 9, 2, 3));
  CHECK(second.dense<float>().at(0, 0, 0, 0) == in.at(0, 5, 0, 0));
}

TEST_CASE("slice takes its bounds from attributes, tensors or lists") {
  Random random(46);
  for (int i = 0; i < 200; i++) check_slice<float>(random);
  for (int i = 0; i < 100; i++) check_slice<int8_t>(random);
}

TEST_CASE("nearest_interp repeats pixels by whole factors and by ratio") {
  Random random(47);
  for (int i = 0; i < 200; i++) {
    const Shape from{random.integer(1, 2), random.pick(kChannels), random.integer(1, 9), random.integer(1, 11)};
    const bool corners = random.chance(20), by_scale = !corners && random.chance(60), v2 = random.chance(50);
    const float factor_h = random.pick({1.0f, 2.0f, 4.0f, 8.0f, 1.5f}), factor_w = v2 ? random.pick({1.0f, 2.0f, 3.0f, 2.5f}) : factor_h;
    const Shape to = by_scale ? Shape{from[0], from[1], static_cast<int64_t>(static_cast<float>(from[2]) * factor_h),
                                      static_cast<int64_t>(static_cast<float>(from[3]) * factor_w)}
                              : Shape{from[0], from[1], random.integer(1, 20), random.integer(1, 20)};
    CAPTURE(from.str());
    CAPTURE(to.str());
    CAPTURE(corners);
    const Dense<float> in = random.reals(from);
    Operator op(v2 ? "nearest_interp_v2" : "nearest_interp");
    op.attribute("align_corners", corners);
    if (by_scale && v2) op.attribute("scale", std::vector<float>{factor_h, factor_w});
    if (by_scale && !v2) op.attribute("scale", factor_h);
    op.input("X", in);
    op.output("Out", DataType::f32, to);
    const auto source = [&](int64_t at, int64_t size, int64_t out, float factor) {
      float ratio = static_cast<float>(size) / static_cast<float>(out);
      if (by_scale && v2) ratio = 1.0f / factor;
      if (corners) ratio = out > 1 ? static_cast<float>(size - 1) / static_cast<float>(out - 1) : 0.0f;
      return std::min(static_cast<int64_t>(static_cast<float>(at) * ratio + (corners ? 0.5f : 0.0f)), size - 1);
    };
    Dense<float> expected(to);
    for (int64_t n = 0; n < to[0]; n++)
      for (int64_t c = 0; c < to[1]; c++)
        for (int64_t y = 0; y < to[2]; y++)
          for (int64_t x = 0; x < to[3]; x++)
            expected.at(n, c, y, x) = in.at(n, c, source(y, from[2], to[2], factor_h), source(x, from[3], to[3], factor_w));
    check_equal(op.run().dense<float>(), expected);
  }
}

TEST_CASE("nearest_interp takes no constant of the file, whose pixels have no lanes to copy") {
  Random random(48);
  Operator op("nearest_interp");
  op.attribute("scale", 2.0f);
  op.constant("X", random.reals({1, 5, 2, 3}));
  op.output("Out", DataType::f32, {1, 5, 4, 6});
  CHECK_THROWS_WITH(op.run(), "nearest_interp: input is a constant of the file of 1x5x2x3, expected a computed map");
}

}  // namespace edgeocr::kernel_test
