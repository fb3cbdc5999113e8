// A small pool with a static partition: the same split, and so the same bits, on every run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace edgeocr {

class ThreadPool {
 public:
  // `threads` >= 1 counts the caller, which works too. Where processors are not alike the others stay on the fastest; the caller's own
  // affinity is the caller's business.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  // Splits [0, n) into at most threads() contiguous ranges whose lengths are multiples of `grain` (but the last) and calls
  // body(begin, end, worker) once per range; returns when all are done. worker is in [0, threads()). A result must not
  // depend on the split: one output element is computed wholly by one worker. Not reentrant.
  void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t begin, int64_t end, int worker)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgeocr
