#include "thread_pool.h"

#include <algorithm>
#include <csignal>
#include <pthread.h>
#include <thread>

namespace semantic {
namespace {

// Some microseconds: the time between two products of a layer. Longer would take from others what
// is not used, on a machine where others wait.
constexpr int kSpins = 300;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename Condition>
bool spin_until(Condition condition) {
  for (int i = 0; i < kSpins; i++) {
    if (condition()) {
      return true;
    }
    pause();
  }
  return false;
}

constexpr std::uint64_t ticket(std::uint32_t pieces, std::uint32_t next) {
  return static_cast<std::uint64_t>(pieces) << 32 | next;
}

} // namespace

ThreadPool& ThreadPool::instance() {
  static ThreadPool* pool = new ThreadPool; // outlives every thread
  return *pool;
}

void ThreadPool::limit(int threads) {
  limit_ = std::clamp(threads, 1, 256);
}

int ThreadPool::threads() const {
  return limit_;
}

void ThreadPool::start() {
  // Signals are the host's: none of them is to be handled on a thread of ours.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    for (; started_ < limit_; started_++) {
      std::thread([this, self = started_] { help(self); }).detach();
    }
  } catch (...) { // nothing may end the process: MLX's own thread calls
    limit_ = started_; // as many as there is memory for, and as the system gives
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Takes a piece and does it; false if there is none.
bool ThreadPool::take_one() {
  std::uint64_t seen = ticket_.load(std::memory_order_acquire);
  for (;;) {
    const auto pieces = static_cast<std::uint32_t>(seen >> 32);
    const auto next = static_cast<std::uint32_t>(seen);
    if (next >= pieces) {
      return false;
    }
    if (ticket_.compare_exchange_weak(
            seen, ticket(pieces, next + 1), std::memory_order_acq_rel, std::memory_order_acquire)) {
      // Until this piece is done the caller does not return, and so does not change the work.
      work_(context_, static_cast<int>(next));
      if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == pieces) {
        done_.notify_one();
      }
      return true;
    }
  }
}

void ThreadPool::help(int self) {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "semantic-kernel");
#endif
  for (;;) {
    const std::uint32_t round = round_.load(std::memory_order_acquire);
    if (self < limit_.load(std::memory_order_relaxed)) {
      while (take_one()) {
      }
    }
    if (!spin_until([&] { return round_.load(std::memory_order_acquire) != round; })) {
      round_.wait(round, std::memory_order_acquire);
    }
  }
}

void ThreadPool::run(int pieces, void (*work)(void*, int), void* context) {
  std::unique_lock<std::mutex> alone(calling_, std::try_to_lock);
  if (!alone || limit_ == 1 || pieces <= 1) {
    for (int piece = 0; piece < pieces; piece++) {
      work(context, piece);
    }
    return;
  }
  if (started_ < limit_) {
    start();
  }
  work_ = work;
  context_ = context;
  done_.store(0, std::memory_order_relaxed);
  ticket_.store(ticket(pieces, 0), std::memory_order_release);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  while (take_one()) {
  }
  for (;;) {
    const std::uint32_t done = done_.load(std::memory_order_acquire);
    if (done == static_cast<std::uint32_t>(pieces)) {
      return;
    }
    if (!spin_until([&] { return done_.load(std::memory_order_acquire) != done; })) {
      done_.wait(done, std::memory_order_acquire);
    }
  }
}

} // namespace semantic
