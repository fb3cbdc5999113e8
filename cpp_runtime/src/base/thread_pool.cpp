#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/processors.h"

namespace edgeocr {

namespace {

constexpr int kMaxThreads = 64;

// Between the operators of a net less time passes than a sleeping thread takes to wake, so who waits looks for a while before it sleeps.
constexpr std::chrono::microseconds kLookFor{50};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <class Condition> bool look_for(const Condition& condition) {
  constexpr int kLooksPerClock = 32;
  const auto end = std::chrono::steady_clock::now() + kLookFor;
  do {
    for (int i = 0; i < kLooksPerClock; i++, pause())
      if (condition()) return true;
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// Whether a thread should look before it sleeps. Where looking is often in vain the processors have other work, which it keeps from
// being done, the threads' that are waited for too.
class Patience {
 public:
  template <class Condition> void wait_for(const Condition& condition) {
    constexpr int kMost = 8, kVain = 4, kSkipped = 16;
    if (trust_ > 0) trust_ = look_for(condition) ? std::min(trust_ + 1, kMost) : trust_ - kVain;
    else if (++skipped_ % kSkipped == 0) trust_ = 1;
  }

 private:
  int trust_ = 1, skipped_ = 0;
};

}  // namespace

// A job is published by raising `generation`; every worker runs its own range (possibly none) and lowers `pending`.
struct ThreadPool::State {
  std::vector<std::thread> workers;
  std::atomic<int32_t> generation{0};  // int32_t: what a futex waits on without a proxy
  std::atomic<int32_t> pending{0};
  std::atomic<bool> stop{false};
  Patience patience;   // of the caller
  bool looks = false;  // there are processors for all threads: none is kept from its work by one that waits

  int64_t n = 0, grain = 1;
  int ranges = 0;
  const std::function<void(int64_t, int64_t, int)>* body = nullptr;

  std::mutex error_mutex;
  std::exception_ptr error;

  void run_range(int worker) noexcept {
    if (worker >= ranges) return;
    int64_t units = (n + grain - 1) / grain;
    int64_t begin = units * worker / ranges * grain;
    int64_t end = std::min(n, units * (worker + 1) / ranges * grain);
    try {
      (*body)(begin, end, worker);
    } catch (...) {
      std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  void work(int worker) {
    Patience patience;
    for (int32_t seen = 0;;) {
      if (looks) patience.wait_for([&] { return generation.load(std::memory_order_relaxed) != seen; });
      generation.wait(seen, std::memory_order_acquire);
      seen = generation.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_relaxed)) return;
      run_range(worker);
      if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1) pending.notify_one();
    }
  }

  void publish() {
    generation.fetch_add(1, std::memory_order_release);
    generation.notify_all();
  }

  void join() {
    stop.store(true, std::memory_order_relaxed);
    publish();
    for (std::thread& t : workers) t.join();
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads < 1 || threads > kMaxThreads) fail("threads is %d, expected 1 to %d", threads, kMaxThreads);
  if (threads == 1) return;
  const std::vector<Processor> allowed = allowed_processors();
  const std::vector<int> processors = fastest_processors(allowed, threads);
  state_->looks = static_cast<size_t>(threads) <= allowed.size();
  try {
    for (int worker = 1; worker < threads; worker++)
      state_->workers.emplace_back([state = state_.get(), worker, processors] {
        stay_on(processors);
        state->work(worker);
      });
  } catch (const std::system_error& e) {
    size_t started = state_->workers.size();
    state_->join();
    fail("cannot start thread %zu of %d: %s", started + 2, threads, e.what());
  }
}

ThreadPool::~ThreadPool() { state_->join(); }

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t, int)>& body) {
  if (n <= 0) return;
  State& s = *state_;
  s.n = n;
  s.grain = std::max<int64_t>(grain, 1);
  s.ranges = static_cast<int>(std::min<int64_t>(threads(), (n + s.grain - 1) / s.grain));
  if (s.ranges == 1) return body(0, n, 0);

  s.body = &body;
  s.error = nullptr;
  s.pending.store(threads() - 1, std::memory_order_relaxed);
  s.publish();
  s.run_range(0);
  if (s.looks) s.patience.wait_for([&] { return s.pending.load(std::memory_order_relaxed) == 0; });
  for (int32_t left; (left = s.pending.load(std::memory_order_acquire)) != 0;) s.pending.wait(left, std::memory_order_acquire);
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace edgeocr
