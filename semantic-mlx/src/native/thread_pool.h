#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace semantic {

// Threads that help one that computes. They take pieces of its work while they can: the caller goes
// through the pieces itself and waits only for pieces that another has begun, so that a thread that
// the system does not let run delays nobody. Idle, they sleep. They are never ended: a process that
// exits does not wait for them.
class ThreadPool {
 public:
  static ThreadPool& instance();

  // How many threads compute at most, the caller among them. Threads are started when they are first
  // needed and stay; fewer than before only leaves some asleep.
  void limit(int threads);

  int threads() const;

  // Calls work(context, piece) for every piece from 0 on, each once, on any of the threads, and
  // returns when all have returned. Work must not throw.
  void run(int pieces, void (*work)(void* context, int piece), void* context);

  template <typename Work>
  void run(int pieces, Work work) {
    run(
        pieces,
        [](void* context, int piece) { (*static_cast<Work*>(context))(piece); },
        &work);
  }

 private:
  ThreadPool() = default;
  void start();
  void help(int self);
  bool take_one();

  std::mutex calling_; // whoever finds it taken works alone
  std::atomic<int> limit_{1};
  int started_ = 1; // the caller
  void (*work_)(void*, int) = nullptr;
  void* context_ = nullptr;
  // Pieces in the upper half, the next one in the lower half: one word, so that who takes a piece
  // knows that it is one of the work at hand.
  alignas(64) std::atomic<std::uint64_t> ticket_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0}; // who sleeps, sleeps on this
  alignas(64) std::atomic<std::uint32_t> done_{0};
};

} // namespace semantic
