package dev.semantic.registry;

import dev.semantic.swap.SwapCancelledException;
import org.jspecify.annotations.Nullable;

/**
 * The right to change the model, until it is given back, and whether that is still wanted. It can
 * be called off until it is committed; then it is too late. That the registry is being closed calls
 * it off, if it is not, and hurries what is left to do with it.
 */
final class Permit implements AutoCloseable {
  private final long number;
  private final Thread thread = Thread.currentThread();
  private final Runnable whenGivenBack;
  private @Nullable String why;
  private boolean committed;
  private boolean hurried;
  private Runnable onRequest = () -> {};

  /**
   * Given by a {@link SwapLock}.
   *
   * @param number the later one asked, the higher
   */
  Permit(long number, Runnable whenGivenBack) {
    this.number = number;
    this.whenGivenBack = whenGivenBack;
  }

  /** For what changes no model: anybody has it. */
  Permit() {
    this(0, () -> {});
  }

  boolean isOlderThan(long other) {
    return number < other;
  }

  /** Whether it was given to the current thread. */
  boolean isMine() {
    return thread == Thread.currentThread();
  }

  @Override
  public void close() {
    whenGivenBack.run();
  }

  /**
   * Calls it off.
   *
   * @return false if it is too late
   */
  boolean request(String reason) {
    Runnable nudge;
    synchronized (this) {
      if (committed) {
        return false;
      }
      if (why == null) {
        why = reason;
      }
      nudge = onRequest;
    }
    nudge.run();
    return true;
  }

  /** Calls it off, unless it is too late; and nobody waits for long for any of it any more. */
  void hurry(String reason) {
    Runnable nudge;
    synchronized (this) {
      hurried = true;
      if (!committed && why == null) {
        why = reason;
      }
      nudge = onRequest;
    }
    nudge.run();
  }

  /** Whether nobody waits for long for any of it. */
  synchronized boolean isHurried() {
    return hurried;
  }

  synchronized boolean isRequested() {
    return why != null;
  }

  /** What wakes whoever is waiting from now on; at once, if there is a reason already. */
  void nudgeWith(Runnable nudge) {
    boolean tooEarly;
    synchronized (this) {
      onRequest = nudge;
      tooEarly = why != null || hurried;
    }
    if (tooEarly) {
      nudge.run();
    }
  }

  /** Ends a swap that was called off. */
  synchronized void check() {
    if (why != null) {
      throw new SwapCancelledException("It was called off: " + why);
    }
  }

  /** The same; a swap that was not can't be any more. */
  synchronized void commit() {
    check();
    committed = true;
  }
}
