package dev.semantic.timeline;

import java.time.Instant;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Platform threads, the JDK's locks, the machine's clocks. */
final class SystemTimeline implements Timeline {
  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  @Override
  public Monitor monitor() {
    return new SystemMonitor();
  }

  @Override
  public ThreadHandle start(String name, Runnable body) {
    return new SystemStrand(Thread.ofPlatform().daemon().name(name).start(body));
  }

  private record SystemStrand(Thread thread) implements ThreadHandle {
    @Override
    public void join() throws InterruptedException {
      thread.join();
    }

    @Override
    public boolean isAlive() {
      return thread.isAlive();
    }

    @Override
    public void interrupt() {
      thread.interrupt();
    }
  }

  private static final class SystemMonitor implements Monitor {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @Override
    public void lock() {
      lock.lock();
    }

    @Override
    public void unlock() {
      lock.unlock();
    }

    @Override
    @SuppressWarnings("WaitNotInLoop") // the caller's loop
    public void await() throws InterruptedException {
      changed.await();
    }

    @Override
    @SuppressWarnings("WaitNotInLoop") // the caller's loop
    public long awaitNanos(long nanos) throws InterruptedException {
      return changed.awaitNanos(nanos);
    }

    @Override
    public void signalAll() {
      changed.signalAll();
    }
  }
}
