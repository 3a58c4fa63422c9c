package dev.semantic.registry;

import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.timeline.MemoryRetry;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Timeline;
import org.jspecify.annotations.Nullable;

/** One may change the model at a time; the others are refused, wait, or take over, as they ask. */
final class SwapLock {
  private static final String CLOSING = "the registry is being closed";

  private final Monitor monitor;
  private final Runnable whenFree;
  private final MemoryRetry retry;
  private final Runnable givingBack = this::giveBack;
  private @Nullable Permit permit;
  private int waiting;
  private long calls;
  private boolean closed;
  private boolean over;

  /**
   * Nobody's turn yet.
   *
   * @param whenFree done when the turn has been given back and nobody waits for it, before anybody
   *     else can take it
   */
  SwapLock(Timeline timeline, Runnable whenFree) {
    this.monitor = timeline.monitor();
    this.whenFree = whenFree;
    this.retry = new MemoryRetry(timeline);
  }

  private void giveBack() {
    monitor.lock();
    try {
      permit = null;
      monitor.signalAll();
      tellIfFree();
    } finally {
      monitor.unlock();
    }
  }

  private void tellIfFree() {
    if (permit == null && waiting == 0 && !closed) {
      retry.run(whenFree); // who waits is told, and the change of the model is as it is
    }
  }

  /** Whether somebody waits for the turn. */
  boolean isAwaited() {
    return monitor.holding(() -> waiting > 0);
  }

  /** Takes the turn; null if it is another's. */
  @Nullable Permit enterIfFree(String what) {
    monitor.lock();
    try {
      requireOpen(what);
      if (permit != null) {
        return null;
      }
      permit = new Permit(++calls, givingBack);
      return permit;
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Takes the turn.
   *
   * @throws IllegalStateException if it is another's, the caller's own, or nobody's any more
   * @throws SwapCancelledException if the wait for it is interrupted
   */
  Permit enter(String what, SwapConflict ifBusy) {
    monitor.lock();
    try {
      requireOpen(what);
      requireOutside(what);
      long number = ++calls;
      while (permit != null) {
        if (ifBusy == SwapConflict.REFUSE) {
          throw underWay(what);
        }
        if (ifBusy == SwapConflict.SUPERSEDE && permit.isOlderThan(number)) {
          permit.request("another one takes its place: " + what);
        }
        awaitTurn(what);
        requireOpen(what);
      }
      permit = new Permit(number, givingBack);
      return permit;
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Whether the turn could be taken, or waited for, just now.
   *
   * @throws IllegalStateException if not
   */
  void requireFor(String what, SwapConflict ifBusy) {
    monitor.lock();
    try {
      requireOpen(what);
      if (permit != null && ifBusy == SwapConflict.REFUSE) {
        throw underWay(what);
      }
    } finally {
      monitor.unlock();
    }
  }

  private static IllegalStateException underWay(String what) {
    return new IllegalStateException("Cannot %s: a swap is under way".formatted(what));
  }

  @SuppressWarnings("WaitNotInLoop") // the loop is enter's
  private void awaitTurn(String what) {
    waiting++;
    try {
      monitor.await();
      waiting--;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      waiting--;
      tellIfFree(); // for whoever relied on the one who leaves
      throw new SwapCancelledException("Interrupted while waiting for the turn to " + what);
    }
  }

  private void requireOpen(String what) {
    if (closed) {
      throw new IllegalStateException("Cannot %s: the registry is closed".formatted(what));
    }
  }

  void requireOutside(String what) {
    if (StepRunner.atWork() || (permit != null && permit.isMine())) {
      throw new IllegalStateException("Cannot %s from within a swap".formatted(what));
    }
  }

  /** Calls off what is under way; false if there is nothing, or it is too late. */
  boolean cancel(String why) {
    Permit present;
    monitor.lock();
    try {
      present = permit;
    } finally {
      monitor.unlock();
    }
    return present != null && present.request(why);
  }

  /**
   * The last turn of all, after the one under way, which is called off if it is not too late, and
   * hurried in any case; nobody gets another, and nobody calls it off. If it is given back before
   * {@link #endForGood}, whoever closes next takes it.
   *
   * @return null if everything is closed already
   */
  @Nullable Permit enterForGood() {
    monitor.lock();
    try {
      requireOutside("close the registry");
      closed = true;
      monitor.signalAll();
      if (permit != null) {
        permit.hurry(CLOSING);
      }
      awaitPatiently();
      if (over) {
        return null;
      }
      Permit last = new Permit(++calls, givingBack);
      last.commit();
      permit = last;
      return last;
    } finally {
      monitor.unlock();
    }
  }

  /** Everything is closed. */
  void endForGood() {
    monitor.lock();
    try {
      over = true;
    } finally {
      monitor.unlock();
    }
  }

  /** An interrupt does not shorten the wait, but is kept. */
  private void awaitPatiently() {
    boolean interrupted = false;
    while (permit != null) {
      try {
        monitor.await();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  boolean isClosed() {
    monitor.lock();
    try {
      return closed;
    } finally {
      monitor.unlock();
    }
  }
}
