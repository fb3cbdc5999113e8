#include "base/processors.h"

#include <thread>

#include <doctest/doctest.h>

using namespace edgeocr;

namespace {

// One prime, three big and four little cores, as the indices of phones have them.
const std::vector<Processor> kPhone{{0, 1785600}, {1, 1785600}, {2, 1785600}, {3, 1785600},
                                    {4, 2419200}, {5, 2419200}, {6, 2419200}, {7, 2841600}};

}  // namespace

TEST_CASE("processors: the fastest that are enough, equals all or none") {
  CHECK(fastest_processors(kPhone, 1) == std::vector<int>{7});
  CHECK(fastest_processors(kPhone, 2) == std::vector<int>{7, 4, 5, 6});
  CHECK(fastest_processors(kPhone, 4) == std::vector<int>{7, 4, 5, 6});
}

TEST_CASE("processors: no choice where all are needed, all are alike or one is unknown") {
  CHECK(fastest_processors(kPhone, 5).empty());
  CHECK(fastest_processors(kPhone, 9).empty());
  CHECK(fastest_processors({{0, 2000000}, {1, 2000000}}, 1).empty());
  CHECK(fastest_processors({{0, 1800000}, {1, 0}, {2, 2400000}}, 1).empty());
  CHECK(fastest_processors({}, 1).empty());
}

#if defined(__linux__)
TEST_CASE("processors: a thread is told those that it may run on, and stays on what it was given") {
  const std::vector<Processor> all = allowed_processors();
  REQUIRE(!all.empty());
  std::thread([&] {
    stay_on({});
    CHECK(allowed_processors().size() == all.size());
    stay_on({all.back().index});
    const std::vector<Processor> left = allowed_processors();
    REQUIRE(left.size() == 1);
    CHECK(left[0].index == all.back().index);
  }).join();
  CHECK(allowed_processors().size() == all.size());
}
#endif
