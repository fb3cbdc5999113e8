#include "base/thread_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/error.h"

using namespace edgeocr;

namespace {

struct Range {
  int64_t begin, end;
  int worker;
};

std::vector<Range> ranges_of(ThreadPool& pool, int64_t n, int64_t grain) {
  std::vector<Range> by_worker(static_cast<size_t>(pool.threads()), Range{-1, -1, -1});
  std::atomic<int> calls{0};
  pool.parallel_for(n, grain, [&](int64_t begin, int64_t end, int worker) {
    by_worker[static_cast<size_t>(worker)] = {begin, end, worker};
    calls++;
  });
  std::vector<Range> ranges;
  for (const Range& r : by_worker)
    if (r.worker >= 0) ranges.push_back(r);
  CHECK(calls == static_cast<int>(ranges.size()));
  return ranges;
}

}  // namespace

TEST_CASE("thread pool: ranges cover [0, n) once, in multiples of the grain") {
  for (int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (int64_t n : {0, 1, 2, 7, 8, 63, 64, 1000})
      for (int64_t grain : {1, 4, 16, 5000}) {
        INFO(threads, " ", n, " ", grain);
        int64_t next = 0;
        for (const Range& r : ranges_of(pool, n, grain)) {
          CHECK(r.begin == next);
          CHECK(r.end > r.begin);
          CHECK((r.end == n || (r.end - r.begin) % grain == 0));
          next = r.end;
        }
        CHECK(next == n);
      }
  }
}

TEST_CASE("thread pool: the split is the same every time") {
  ThreadPool pool(4);
  auto first = ranges_of(pool, 1003, 8);
  for (int repeat = 0; repeat < 200; repeat++) {
    auto again = ranges_of(pool, 1003, 8);
    REQUIRE(again.size() == first.size());
    for (size_t i = 0; i < first.size(); i++) CHECK((again[i].begin == first[i].begin && again[i].end == first[i].end));
  }
}

TEST_CASE("thread pool: an exception of any range reaches the caller, and the pool goes on") {
  ThreadPool pool(3);
  for (int thrower = 0; thrower < 3; thrower++) {
    CHECK_THROWS_AS(pool.parallel_for(3, 1,
                                      [&](int64_t, int64_t, int worker) {
                                        if (worker == thrower) fail("range %d", worker);
                                      }),
                    Error);
    CHECK(ranges_of(pool, 3, 1).size() == 3);
  }
}

TEST_CASE("thread pool: a count of threads that makes no sense is refused") {
  CHECK_THROWS_WITH(ThreadPool(0), "threads is 0, expected 1 to 64");
  CHECK_THROWS_WITH(ThreadPool(65), "threads is 65, expected 1 to 64");
}
